"""Splits: which images of each class train, validate and test, drawn by hash."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from freeze_or_tune.data.groups import deal, group_of
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.official import Official
from freeze_or_tune.system.csv_files import read_table, write_table
from freeze_or_tune.system.errors import SpoiltFile, UserError
from freeze_or_tune.system.hashing import stable_digest

COLUMNS = ("image", "class", "label", "subset")
GROUPED = (*COLUMNS, "group")
"""Those of one's own images, which are parted further."""

Pool = Literal["all", "official", "rest", "shares", "refit"]
"""Draw from all images; or take the dataset's own test images whole, and draw the others from its training images (and
its own validation images, if it has them); or draw from all images, and test on those that are left; or part each class
by shares (own/shares.py); or train on those that validate, too, when nothing is left to choose (refit: the same split
as shares)."""


class Draw(NamedTuple):
    """What to draw of a dataset: images a class, and the seed of the order they are drawn in."""

    seed: int
    n: int
    val: int
    test: int
    """0 where the pool is official or rest."""
    pool: Pool = "all"
    up_to: bool = False
    """A class with fewer than n images left trains on those it has, at least one."""
    enough: int = 0
    """Only classes with so many images in the pool take part; the same for all n, or the splits are not nested."""
    largest: int = 0
    """Where the pool is rest: the training images of the largest split, on which none of the splits tests."""


@dataclass(frozen=True)
class Row:
    """One image of a split."""

    image: str
    class_name: str
    label: int
    """Place of the class among the sorted class names."""
    subset: str
    """train, val or test."""
    group: str = ""
    """Images of one group are all in one subset, unless they were given in several."""


def draw(
    listings: Iterable[Listing],
    *,
    dataset: str,
    seed: int,
    n: int,
    val: int,
    test: int,
    pool: Pool = "all",
    up_to: bool = False,
    enough: int = 0,
    largest: int = 0,
) -> list[Row]:
    """Draw n training, `val` and `test` images a class, sorted by image; UserError if a class has too few.

    The test images come first in the order of the hash, then those for validation: both are the same
    for all n, and the training images of a small n are among those of a larger one. Images of one
    group are all in one subset.
    """
    everything = list(listings)
    parts = Official(everything, dataset) if pool == "official" else None
    vals = parts.val if parts else []
    if parts and test:
        raise UserError(f"dataset {dataset!r}: its own test images are used whole, so test must be 0")
    classes = _classes(parts.train if parts else everything, dataset, enough - val if vals and enough else enough)
    least = 1 if up_to else max(n, largest)
    _check_sizes(classes, dataset, least, 0 if vals else val, 1 if pool == "rest" else test)
    quotas = {"val": val} if pool == "rest" else {"test": test, "val": 0 if vals else val}
    members = [listing for images in classes.values() for listing in images]
    grouped = any(listing.group for listing in members)
    if grouped and pool == "rest":
        raise UserError(f"dataset {dataset!r}: images of a group stay together, so what is left cannot be the test set")
    dealt = deal(members, quotas, dataset=dataset, seed=seed) if grouped else {}
    chosen: dict[str, dict[str, str]] = {}
    for name, images in classes.items():
        shuffled = _shuffled(images, dataset, seed)
        chosen[name] = _subsets(shuffled, quotas | {"train": n}, dealt)
        if pool == "rest":
            chosen[name] |= {listing.image: "test" for listing in shuffled[val + max(n, largest) :]}
        _check_groups(chosen[name], dataset, name, quotas | {"train": 1 if up_to else n})
    if parts and vals:
        parts.add_val(chosen, _shuffled(vals, dataset, seed), val)
    if parts:
        parts.add_test(chosen)
    rows = [
        Row(image, name, label, subset)
        for label, name in enumerate(sorted(chosen))
        for image, subset in chosen[name].items()
    ]
    return sorted(rows, key=lambda row: row.image)


def write_split(rows: Iterable[Row], path: Path, *, grouped: bool = False) -> None:
    """Write a split as CSV, sorted by image; with the groups, if they are needed to part it further."""
    columns = GROUPED if grouped else COLUMNS
    write_table(path, columns, sorted(astuple(row)[: len(columns)] for row in rows))


def read_split(path: Path, n: int, val: int, test: int, *, pool: Pool = "all", up_to: bool = False) -> list[Row]:
    """Read a split; UserError unless each class has the images that the other arguments say.

    Exactly n, `val` and `test`; but 1 to n for training if `up_to`, and at least one where no number of test images
    is asked for. Of shares, at least one to train on, and in all at least one each to validate and test on.
    """
    rows = list(read_rows(path))
    tests = range(test, test + 1) if pool == "all" else range(1, len(rows) + 1)
    trains = range(1 if up_to else n, n + 1)
    vals = range(val, val + 1)
    problem = ""
    if pool in ("shares", "refit"):
        trains, vals, tests = tests, range(len(rows) + 1), range(len(rows) + 1)
        lacking = [subset for subset in ("val", "test") if all(row.subset != subset for row in rows)]
        problem = f"it has no images of subset {lacking[0]!r}" if lacking else ""
    problem = _problem(rows, {"train": trains, "val": vals, "test": tests}) or problem
    if problem:
        raise _damaged(path, problem)
    return rows


def training_images(path: Path) -> list[str]:
    """The sorted training images of a split; UserError if it has none."""
    images = sorted(row.image for row in read_rows(path) if row.subset == "train")
    if not images:
        raise _damaged(path, "it has no training images")
    return images


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a split as they stand there, one by one; UserError names a line that is wrong."""
    for line, (image, name, label, *rest) in read_table(path, COLUMNS, ("group",)):
        if not label.isdecimal():
            raise _damaged(path, f"line {line}: the label is {label!r}, not a number")
        yield Row(image, name, int(label), *rest)


def _shuffled(listings: Iterable[Listing], dataset: str, seed: int) -> list[Listing]:
    return sorted(listings, key=lambda listing: stable_digest(seed, dataset, listing.class_name, listing.image))


def _classes(listings: list[Listing], dataset: str, enough: int) -> dict[str, list[Listing]]:
    """The images of each class that has enough."""
    classes: dict[str, list[Listing]] = defaultdict(list)
    for listing in listings:
        classes[listing.class_name].append(listing)
    kept = {name: images for name, images in classes.items() if len(images) >= enough}
    if classes and not kept:
        raise UserError(f"dataset {dataset!r} has no class with {enough} images; ask for fewer")
    return kept


def _subsets(images: list[Listing], wanted: dict[str, int], dealt: dict[str, str]) -> dict[str, str]:
    """The subset of each image that is drawn: that of its group, or else the first in `wanted` that is not full."""
    left, chosen = dict(wanted), {}
    for listing in images:
        open_subsets = (subset for subset, places in left.items() if places)
        subset = dealt[group_of(listing)] if dealt else next(open_subsets, None)
        if subset is None:
            break
        if left[subset]:
            left[subset] -= 1
            chosen[listing.image] = subset
    return chosen


def _check_sizes(classes: dict[str, list[Listing]], dataset: str, n: int, val: int, test: int) -> None:
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


def _check_groups(chosen: dict[str, str], dataset: str, name: str, wanted: dict[str, int]) -> None:
    """Raise UserError if the groups dealt to a subset hold too few images of a class."""
    held = Counter(chosen.values())
    for subset, count in wanted.items():
        if held[subset] < count:
            raise UserError(
                f"dataset {dataset!r}, class {name!r}: {count} images are wanted for {subset}, but its groups hold "
                f"{held[subset]} (images of one group stay together); ask for fewer images a class"
            )


def _problem(rows: list[Row], wanted: dict[str, range]) -> str:
    """What is wrong with a split, or nothing."""
    images = [row.image for row in rows]
    names = sorted({row.class_name for row in rows})
    if not rows:
        return "it is empty"
    if images != sorted(set(images)):
        return "an image stands twice or out of order"
    counts = Counter((row.class_name, row.label, row.subset) for row in rows)
    expected = {(name, label, subset): due for label, name in enumerate(names) for subset, due in wanted.items()}
    for name, label, subset in sorted(expected.keys() | counts.keys()):
        held, due = counts[name, label, subset], expected.get((name, label, subset), range(1))
        if held not in due:
            bounds = f"{due[0]}" if len(due) == 1 else f"{due[0]} to {due[-1]}"
            return f"class {name!r} (label {label}) has {held} images of subset {subset!r}, not {bounds}"
    return ""


def _damaged(path: Path, problem: str) -> UserError:
    return SpoiltFile(f"{path} is damaged ({problem})")
