"""What a split asked for, what there was, and what it got: the numbers of Table 1."""

from collections import Counter
from collections.abc import Iterable

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.splits import Draw, Row
from freeze_or_tune.records.tallies import SplitTally, Tally


def tally(listings: Iterable[Listing], rows: Iterable[Row], what: Draw) -> SplitTally:
    """Count a split `rows`, drawn as `what` says from `listings`."""
    everything = list(listings)
    used = Counter((row.class_name, row.subset) for row in rows)
    names = sorted({name for name, _ in used})
    official = what.pool == "official"
    vals = any(listing.subset == "val" for listing in everything)
    tallies = []
    for subset, asked in (("train", what.n), ("val", what.val), ("test", what.test if what.pool == "all" else None)):
        source = ("train" if subset == "val" and not vals else subset) if official else None
        held = Counter(listing.class_name for listing in everything if source in (None, listing.subset))
        counts = [used[name, subset] for name in names]
        available = min(held[name] for name in names)
        tallies.append(
            Tally(asked=asked, available=available, fewest=min(counts), most=max(counts), images=sum(counts))
        )
    train, val, test = tallies
    return SplitTally(
        classes_available=len({listing.class_name for listing in everything}), classes_used=len(names),
        train=train, val=val, test=test,
    )  # fmt: skip
