"""Splits by shares: each class is parted into images to test, validate and train on, however many it has."""

from collections import Counter
from collections.abc import Iterable

from freeze_or_tune.data.groups import contents_of, group_of, hold_out
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.splits import Row

FEWEST = 3
"""Images of a class that can be parted: one each to train, validate and test on."""


def draw_shares(
    listings: Iterable[Listing], *, dataset: str, seed: int, val: float, test: float, most: int
) -> list[Row]:
    """Part each class, in the order of `splits.draw`: the shares `test` and `val` (1 to `most` images), then train.

    Given test or validation images are taken whole, and only what is not given is drawn, from those that are neither.
    What is drawn parts no group: a class of one group only trains, one of two does not validate. ValueError if a class
    has no image to train on.
    """
    everything = sorted(listings, key=lambda listing: listing.image)
    given = given_parts(everything)
    pool = [listing for listing in everything if listing.subset not in given]
    sizes = Counter(listing.class_name for listing in pool)
    names = sorted({listing.class_name for listing in everything})
    if untaught := [name for name in names if not sizes[name]]:
        raise ValueError(f"class {untaught[0]!r} has no image to train on")
    quotas = {
        subset: {name: max(1, min(most, int(share * size))) for name, size in sizes.items()}
        for subset, share in (("test", test), ("val", val))
        if subset not in given
    }
    dealt = hold_out(contents_of(pool, seed, dataset), quotas)
    labels = {name: label for label, name in enumerate(names)}
    return [
        Row(
            one.image, one.class_name, labels[one.class_name],
            one.subset if one.subset in given else dealt[group_of(one)], one.group,
        )
        for one in everything
    ]  # fmt: skip


def given_parts(listings: Iterable[Listing]) -> set[str]:
    """Which of test and val the images came with."""
    return {listing.subset for listing in listings} & {"test", "val"}
