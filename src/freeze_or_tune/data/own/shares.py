"""Splits by shares: each class is parted into images to test, validate and train on, however many it has."""

from collections import defaultdict
from collections.abc import Iterable

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.splits import Row
from freeze_or_tune.system.hashing import stable_digest

FEWEST = 3
"""Images of a class that can be parted: one each to train, validate and test on."""


def draw_shares(
    listings: Iterable[Listing], *, dataset: str, seed: int, val: float, test: float, most: int
) -> list[Row]:
    """Part each class, in the order of `splits.draw`: the shares `test` and `val` (1 to `most` images), then train.

    ValueError if a class has fewer than FEWEST images.
    """
    classes: dict[str, list[str]] = defaultdict(list)
    for listing in listings:
        classes[listing.class_name].append(listing.image)
    rows = []
    for label, (name, images) in enumerate(sorted(classes.items())):
        if len(images) < FEWEST:
            raise ValueError(f"class {name!r} has {len(images)} images, fewer than {FEWEST}")
        tests, vals = (max(1, min(most, int(share * len(images)))) for share in (test, val))
        images.sort(key=lambda image: stable_digest(seed, dataset, name, image))
        for place, image in enumerate(images):
            subset = "test" if place < tests else "val" if place < tests + vals else "train"
            rows.append(Row(image, name, label, subset))
    return sorted(rows, key=lambda row: row.image)
