"""Groups: images that show the same thing, of which all belong to one subset of a split."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from scipy.cluster.hierarchy import DisjointSet

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
    """The subset of each group: those of `quotas` (images of each class, at most), or else train.

    In the order given a group goes to the first subset that has room for all of it. Of a class that a subset then has
    nothing of it gets the smallest group, whatever its size. Some of each class always trains.
    """
    dealt = dict.fromkeys(contents, "train")
    held: dict[str, Counter[str]] = {subset: Counter() for subset in quotas}
    train = total_of(contents)

    def spare(group: str) -> bool:
        return dealt[group] == "train" and spared(contents[group], train)

    def move(group: str, subset: str) -> None:
        dealt[group] = subset
        held[subset].update(contents[group])
        train.subtract(contents[group])

    for group, content in contents.items():
        for subset, quota in quotas.items():
            if spare(group) and all(held[subset][name] + count <= quota[name] for name, count in content.items()):
                move(group, subset)
    groups: dict[str, list[str]] = defaultdict(list)
    for group, content in contents.items():
        for name in content:
            groups[name].append(group)
    for subset in quotas:
        for name in sorted(groups):
            if not held[subset][name] and (free := [group for group in groups[name] if spare(group)]):
                move(min(free, key=lambda group: contents[group].total()), subset)
    return dealt


def total_of(contents: Contents) -> Counter[str]:
    """Images of each class in all groups."""
    total: Counter[str] = Counter()
    for content in contents.values():
        total.update(content)
    return total


def spared(content: Counter[str], train: Counter[str]) -> bool:
    """Whether some of each class still trains without a group."""
    return all(train[name] > count for name, count in content.items())


def joined(listings: Sequence[Listing], alike: Iterable[Sequence[str]]) -> list[Listing]:
    """Listings in the groups that they have and those of `alike` images: what shares an image with another is one.

    A group is called by the first of its own names, or by its first image; whoever is alone belongs to none.
    """
    ties = DisjointSet([listing.image for listing in listings])
    first: dict[str, str] = {}
    for listing in listings:
        if listing.group:
            ties.merge(first.setdefault(listing.group, listing.image), listing.image)
    for images in alike:
        for image in images[1:]:
            ties.merge(images[0], image)
    names: dict[str, str] = {}
    given = {listing.image: listing.group for listing in listings}
    for tied in ties.subsets():
        own = sorted({given[image] for image in tied} - {""})
        name = own[0] if own else min(tied) if len(tied) > 1 else ""
        names |= dict.fromkeys(tied, name)
    return [replace(listing, group=names[listing.image]) for listing in listings]
