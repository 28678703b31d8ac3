"""Groups: images that show the same thing, of which all belong to one subset of a split."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.system.hashing import stable_digest


def group_of(listing: Listing) -> str:
    """The group of an image; one that shows nothing that others show is a group of its own."""
    return listing.group or listing.image


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
