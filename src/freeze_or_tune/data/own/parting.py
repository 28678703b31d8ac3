"""What trains, validates and tests of one's own images, and what its owner should know about it."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from freeze_or_tune.data.groups import group_of
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.own.shares import FEWEST, draw_shares, given_parts
from freeze_or_tune.data.splits import Row
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.study.settings import Advising

_DOING = {"val": "validate", "test": "test"}


def parted(
    listings: Sequence[Listing], *, dataset: str, seed: int, shares: Advising
) -> tuple[list[Row], list[Finding]]:
    """The rows of `draw_shares`, and what is said of given parts, of groups that cross them and of what could not be.

    ValueError if a class has no image to train on.
    """
    rows = draw_shares(listings, dataset=dataset, seed=seed, val=shares.val, test=shares.test, most=shares.most)
    return rows, [*_given(listings, rows), *_crossing(rows), *_scenes(rows), *_missing(rows)]


def _given(listings: Sequence[Listing], rows: Sequence[Row]) -> list[Finding]:
    """What stands in for given parts that are not whole; the reader has said that there are some."""
    if not any(listing.subset for listing in listings):
        return []
    drawn = [subset for subset in _DOING if subset not in given_parts(listings)]
    return [
        *(
            Finding(
                kind="read", count=sum(row.subset == subset for row in rows),
                words=f"Images to {_DOING[subset]} on, drawn from those that train: the given parts have none",
            )
            for subset in drawn
        ),
        *Finding.of(
            "read", [listing.image for listing in listings if not listing.subset],
            "Images without a part, where others have one; they train",
        ),
    ]  # fmt: skip


def _crossing(rows: Sequence[Row]) -> list[Finding]:
    """Groups that stand in several given parts; what is drawn parts none."""
    subsets: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        subsets[group_of(row)].add(row.subset)

    def held(subset: str, *learnt: str) -> list[str]:
        return [row.image for row in rows if row.subset == subset and subsets[group_of(row)] & {*learnt}]

    return [
        *Finding.of(
            "crossing", held("test", "train", "val"),
            "Test images that nearly equal images of the other given parts, or are of one group with them: the "
            "accuracy is flattered",
        ),
        *Finding.of(
            "crossing", held("val", "train"),
            "Validation images that nearly equal training images, or are of one group with them: what is chosen by "
            "them may be chosen wrongly",
        ),
    ]  # fmt: skip


def _scenes(rows: Sequence[Row]) -> list[Finding]:
    """Classes that groups leave too little of to part them."""
    groups: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        groups[row.class_name].add(group_of(row))
    sizes = Counter(row.class_name for row in rows)
    few = {name: len(held) for name, held in groups.items() if len(held) < FEWEST <= sizes[name]}
    return [
        finding
        for count, words in ((1, "only 1 scene"), (2, "only 2 different scenes"))
        for finding in Finding.of(
            "scenes", [name for name, held in few.items() if held == count],
            f"Classes of {words} (all else are near copies or of its group), too few to train, validate and test on",
        )
    ]  # fmt: skip


def _missing(rows: Sequence[Row]) -> list[Finding]:
    """Classes that are learnt, but not in all parts."""
    names = {row.class_name for row in rows}
    return [
        finding
        for subset, words in (
            ("test", "Classes that train, but have no image to test on: the accuracy says nothing of them"),
            ("val", "Classes that train, but have no image to validate on"),
        )
        for finding in Finding.of("missing", names - {row.class_name for row in rows if row.subset == subset}, words)
    ]
