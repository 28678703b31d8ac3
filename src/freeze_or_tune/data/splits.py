"""Splits: which images of each class train, validate and test, drawn by hash."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.tables import read_table, write_table
from freeze_or_tune.errors import UserError
from freeze_or_tune.hashing import stable_digest

COLUMNS = ("image", "class", "label", "subset")


class Draw(NamedTuple):
    """What to draw of a dataset: images a class, and the seed of the order they are drawn in."""

    seed: int
    n: int
    val: int
    test: int


@dataclass(frozen=True)
class Row:
    """One image of a split."""

    image: str
    class_name: str
    label: int
    """Place of the class among the sorted class names."""
    subset: str
    """train, val or test."""


def draw(listings: Iterable[Listing], *, dataset: str, seed: int, n: int, val: int, test: int) -> list[Row]:
    """Draw n training, `val` and `test` images a class, sorted by image; UserError if a class has too few.

    The test images come first in the order of the hash, then those for validation: both are the same
    for all n, and the training images of a small n are among those of a larger one.
    """
    classes: dict[str, list[str]] = defaultdict(list)
    for listing in listings:
        classes[listing.class_name].append(listing.image)
    _check_sizes(classes, dataset, n, val, test)
    subsets = ["test"] * test + ["val"] * val + ["train"] * n
    rows = [
        Row(image, name, label, subset)
        for label, name in enumerate(sorted(classes))
        for image, subset in zip(_shuffled(classes[name], seed, dataset, name), subsets, strict=False)
    ]
    return sorted(rows, key=lambda row: row.image)


def write_split(rows: Iterable[Row], path: Path) -> None:
    """Write a split as CSV, sorted by image."""
    write_table(path, COLUMNS, sorted(astuple(row) for row in rows))


def read_split(path: Path, n: int, val: int, test: int) -> list[Row]:
    """Read a split; UserError unless each class has exactly the images that n, `val` and `test` say."""
    rows = []
    for line, (image, name, label, subset) in read_table(path, COLUMNS):
        if not label.isdecimal():
            raise _damaged(path, f"line {line}: the label is {label!r}, not a number")
        rows.append(Row(image, name, int(label), subset))
    problem = _problem(rows, {"train": n, "val": val, "test": test})
    if problem:
        raise _damaged(path, problem)
    return rows


def _shuffled(images: list[str], seed: int, dataset: str, class_name: str) -> list[str]:
    return sorted(images, key=lambda image: stable_digest(seed, dataset, class_name, image))


def _check_sizes(classes: dict[str, list[str]], dataset: str, n: int, val: int, test: int) -> None:
    if not classes:
        raise UserError(f"dataset {dataset!r} has no images to draw from")
    name = min(classes, key=lambda key: (len(classes[key]), key))
    held, wanted = len(classes[name]), n + val + test
    if wanted > held:
        room = held - val - test
        advice = f"n may be {room} at most" if room > 0 else "take fewer validation and test images"
        raise UserError(
            f"dataset {dataset!r}, class {name!r}: {n} training + {val} validation + {test} test = {wanted} "
            f"images are wanted, but there are {held}; {advice}"
        )


def _problem(rows: list[Row], wanted: dict[str, int]) -> str:
    """What is wrong with a split, or nothing."""
    images = [row.image for row in rows]
    names = sorted({row.class_name for row in rows})
    if not rows:
        return "it is empty"
    if images != sorted(set(images)):
        return "an image stands twice or out of order"
    counts = Counter((row.class_name, row.label, row.subset) for row in rows)
    expected = Counter({(name, i, s): k for i, name in enumerate(names) for s, k in wanted.items() if k})
    for name, label, subset in sorted(expected | counts):
        held, due = counts[name, label, subset], expected[name, label, subset]
        if held != due:
            return f"class {name!r} (label {label}) has {held} images of subset {subset!r}, not {due}"
    return ""


def _damaged(path: Path, problem: str) -> UserError:
    return UserError(f"{path} is damaged ({problem}); delete it and run snakemake again")
