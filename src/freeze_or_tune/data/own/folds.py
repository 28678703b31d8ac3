"""Folds of one's own images for the race: a part of those that do not test for the model tests in each."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from freeze_or_tune.data.splits import Row
from freeze_or_tune.system.hashing import stable_digest

FOLDS = 3
"""Each image tests in one of them. With more, a round would cost the same and say less."""


def smallest_class(rows: Iterable[Row]) -> int:
    """Images of the smallest class, without those that test for the model: it takes FOLDS to race."""
    return min(map(len, _classes(rows).values()))


def draw_fold(rows: Iterable[Row], fold: int, *, dataset: str, seed: int, val: float) -> list[Row]:
    """The split of a fold: every FOLDS-th image of a class tests, and of the others the share `val`, or one, validates.

    ValueError if a class has fewer than FOLDS images; those that test for the model take no part.
    """
    chosen = []
    for label, images in _classes(rows).items():
        if len(images) < FOLDS:
            raise ValueError(f"class {images[0].class_name!r} has {len(images)} images, fewer than {FOLDS}")
        ordered = sorted(images, key=lambda row: stable_digest(seed, dataset, "race", row.class_name, row.image))
        # Not all classes begin in the first fold: it would have more images than the others.
        tests = [(place + label) % FOLDS == fold for place in range(len(ordered))]
        rest = [row for row, test in zip(ordered, tests, strict=True) if not test]
        vals = max(1, int(val * len(rest)))
        chosen += [replace(row, subset="test") for row, test in zip(ordered, tests, strict=True) if test]
        chosen += [replace(row, subset="val" if place < vals else "train") for place, row in enumerate(rest)]
    return sorted(chosen, key=lambda row: row.image)


def _classes(rows: Iterable[Row]) -> dict[int, Sequence[Row]]:
    classes: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.subset != "test":
            classes[row.label].append(row)
    return dict(classes)
