"""Groups: images that show the same thing, of which all belong to one subset of a split."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from operator import gt
from typing import Any, Protocol

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.system.hashing import stable_digest


class Grouped(Protocol):
    """An image that may belong to a group: a listing, or a row of a split."""

    @property
    def image(self) -> str:
        """Its name."""

    @property
    def class_name(self) -> str:
        """Its class."""

    @property
    def group(self) -> str:
        """Its group, if it has one."""


Contents = Mapping[str, Counter[str]]
"""By group, how many images of each class it holds."""


def group_of(image: Grouped) -> str:
    """The group of an image; one that shows nothing that others show is a group of its own."""
    return image.group or image.image


def deal(listings: Iterable[Listing], quotas: Mapping[str, int], *, dataset: str, seed: int) -> dict[str, str]:
    """Give each group to the first subset of `quotas` (images a class) that lacks a class of it, or else to `train`.

    Groups come in the order of their hash. What is wanted for training plays no part, so that the other subsets are
    the same for all n. A group without a class that is lacking is not spent: rare classes need theirs in each subset.
    """
    contents: dict[str, Counter[str]] = defaultdict(Counter)
    for listing in listings:
        contents[group_of(listing)][listing.class_name] += 1
    dealt: dict[str, str] = {}
    held: dict[str, Counter[str]] = {subset: Counter() for subset in (*quotas, "train")}
    for group in sorted(contents, key=lambda group: stable_digest(seed, dataset, "group", group)):
        lacking = (s for s, quota in quotas.items() if any(held[s][name] < quota for name in contents[group]))
        dealt[group] = next(lacking, "train")
        held[dealt[group]] += contents[group]
    return dealt


def contents_of(images: Iterable[Grouped], *seed: Any) -> dict[str, Counter[str]]:
    """What each group holds, in the order of a hash of `seed` and the group; of a lone image, of its class and name."""
    contents: dict[str, Counter[str]] = defaultdict(Counter)
    keys: dict[str, str] = {}
    for image in images:
        name = group_of(image)
        contents[name][image.class_name] += 1
        key = stable_digest(*seed, "group" if image.group else image.class_name, name)
        keys[name] = min(key, keys.get(name, key))
    return {name: contents[name] for name in sorted(contents, key=keys.__getitem__)}


def hold_out(contents: Contents, quotas: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """The subset of each group: those of `quotas` (images of each class, at most), one after the other, or else train.

    In the order given a subset takes the groups that it has room for all of. Of a class that it then has nothing of it
    takes the smallest group, whatever its size. Some of each class always trains, and no subset takes a second group
    that the ones after it lack.
    """
    dealing = _Dealing(contents)
    for later, (subset, quota) in zip(range(len(quotas))[::-1], quotas.items(), strict=True):
        dealing.fill(subset, quota, later)
    return dealing.dealt


class _Dealing:
    """Groups on their way from train to other subsets."""

    def __init__(self, contents: Contents) -> None:
        self.contents, self.dealt = contents, dict.fromkeys(contents, "train")
        self._groups: dict[str, list[str]] = defaultdict(list)
        for group, content in contents.items():
            for name in content:
                self._groups[name].append(group)
        self._left = {name: len(groups) for name, groups in self._groups.items()}

    def fill(self, subset: str, quota: Mapping[str, int], later: int) -> None:
        """Fill a subset; so many `later` ones need a group of each class, too, before it takes a second one."""
        held: Counter[str] = Counter()

        def spare(group: str) -> bool:
            needed = (1 + (later if held[name] else 0) for name in self.contents[group])
            left = (self._left[name] for name in self.contents[group])
            return self.dealt[group] == "train" and all(map(gt, left, needed))

        def move(group: str) -> None:
            self.dealt[group] = subset
            held.update(self.contents[group])
            for name in self.contents[group]:
                self._left[name] -= 1

        for group, content in self.contents.items():
            if all(held[name] + count <= quota[name] for name, count in content.items()) and spare(group):
                move(group)
        for name, groups in sorted(self._groups.items()):
            if not held[name] and (free := list(filter(spare, groups))):
                move(min(free, key=lambda group: self.contents[group].total()))


def total_of(contents: Contents) -> Counter[str]:
    """Images of each class in all groups."""
    total: Counter[str] = Counter()
    for content in contents.values():
        total.update(content)
    return total


def spared(content: Counter[str], train: Counter[str]) -> bool:
    """Whether some of each class still trains without a group."""
    return all(train[name] > count for name, count in content.items())
