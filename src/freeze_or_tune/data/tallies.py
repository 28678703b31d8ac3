"""What a split asked for, what there was, and what it got: the numbers of Table 1."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.splits import Draw, Row


@dataclass(frozen=True)
class Tally:
    """One subset of a split; numbers are images a class unless they say otherwise."""

    subset: str
    asked: int | None
    """None: all there are (an official test set)."""
    available: int
    """Images that the smallest of the used classes has to draw from, for all subsets that share them."""
    fewest: int
    most: int
    images: int
    """Images of all classes."""


@dataclass(frozen=True)
class SplitTally:
    """A split by numbers."""

    classes_available: int
    classes_used: int
    subsets: tuple[Tally, ...]
    """train, val, test."""


def tally(listings: Iterable[Listing], rows: Iterable[Row], what: Draw) -> SplitTally:
    """Count a split `rows`, drawn as `what` says from `listings`."""
    everything = list(listings)
    used = Counter((row.class_name, row.subset) for row in rows)
    names = sorted({name for name, _ in used})
    official = what.pool == "official"
    subsets = []
    for subset, asked in (("train", what.n), ("val", what.val), ("test", None if official else what.test)):
        source = ("test" if subset == "test" else "train") if official else None
        held = Counter(listing.class_name for listing in everything if source in (None, listing.subset))
        counts = [used[name, subset] for name in names]
        available = min(held[name] for name in names)
        subsets.append(Tally(subset, asked, available, min(counts), max(counts), sum(counts)))
    return SplitTally(len({listing.class_name for listing in everything}), len(names), tuple(subsets))
