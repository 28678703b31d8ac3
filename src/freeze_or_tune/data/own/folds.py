"""Folds of one's own images for the race: a part of those that do not test for the model tests in each."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from freeze_or_tune.data.groups import Contents, contents_of, group_of, hold_out, spared, total_of
from freeze_or_tune.data.splits import Row

FOLDS = 3
"""Each image tests in one of them. With more, a round would cost the same and say less."""


def groups_a_class(rows: Iterable[Row]) -> Counter[str]:
    """How many groups (or images that belong to none) each class has, without those that test for the model."""
    return Counter(name for content in _contents(rows, "", 0).values() for name in content)


def draw_fold(rows: Iterable[Row], fold: int, *, dataset: str, seed: int, val: float) -> list[Row]:
    """The split of a fold: a third of the groups of a class test, and of the others the share `val`, or one, validates.

    Those that test for the model take no part. Some of each class always trains: a class of one group never tests.
    """
    rest = [row for row in rows if row.subset != "test"]
    contents = _contents(rest, dataset, seed)
    folds = _folds(contents, {row.class_name: row.label for row in rest})
    left, tests = total_of(contents), set()
    for group, content in contents.items():
        if folds[group] == fold and spared(content, left):
            tests.add(group)
            left.subtract(content)
    quota = {name: max(1, int(val * count)) for name, count in left.items()}
    dealt = hold_out({group: content for group, content in contents.items() if group not in tests}, {"val": quota})
    return [replace(row, subset=dealt.get(group_of(row), "test")) for row in sorted(rest, key=lambda row: row.image)]


def _contents(rows: Iterable[Row], dataset: str, seed: int) -> dict[str, Counter[str]]:
    return contents_of((row for row in rows if row.subset != "test"), seed, dataset, "race")


def _folds(contents: Contents, labels: Mapping[str, int]) -> dict[str, int]:
    """Give each group, the largest first, to the fold that has least of its classes.

    Not all classes begin in the first fold: it would have more images than the others.
    """
    held = [Counter[str]() for _ in range(FOLDS)]
    sizes = total_of(contents)
    folds = {}
    for group in sorted(contents, key=lambda group: -contents[group].total()):
        content, label = contents[group], min(map(labels.__getitem__, contents[group]))

        def load(fold: int, content: Counter[str] = content, label: int = label) -> tuple[float, int]:
            filled = sum(count * held[fold][name] / sizes[name] for name, count in content.items())
            return filled, (fold - label) % FOLDS

        folds[group] = min(range(FOLDS), key=load)
        held[folds[group]].update(content)
    return folds
