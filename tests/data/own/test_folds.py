import random
from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from freeze_or_tune.data.own.folds import FOLDS, draw_fold, groups_a_class
from freeze_or_tune.data.splits import Row


def rows(*sizes: int) -> list[Row]:
    """So many images a class that do not test, and one of each that does."""
    found = []
    for label, size in enumerate(sizes):
        found += [Row(f"{label}/{i}", f"class {label}", label, "val" if i < 1 else "train") for i in range(size)]
        found.append(Row(f"{label}/test", f"class {label}", label, "test"))
    return found


def folds(drawn: list[Row]) -> list[list[Row]]:
    return [draw_fold(drawn, fold, dataset="d", seed=0, val=0.25) for fold in range(FOLDS)]


@given(st.lists(st.integers(FOLDS, 20), min_size=2, max_size=6))
def test_each_image_tests_once_and_none_that_tests_for_the_model(sizes: list[int]) -> None:
    tested = Counter(row.image for fold in folds(rows(*sizes)) for row in fold if row.subset == "test")
    assert tested == Counter(row.image for row in rows(*sizes) if row.subset != "test")


@given(st.lists(st.integers(FOLDS, 20), min_size=2, max_size=6))
def test_a_fold_is_a_split(sizes: list[int]) -> None:
    for fold in folds(rows(*sizes)):
        assert [row.image for row in fold] == sorted({row.image for row in fold})
        for label in range(len(sizes)):
            assert {row.subset for row in fold if row.label == label} == {"train", "val", "test"}


def test_small_classes_do_not_all_test_in_the_same_fold() -> None:
    """Four images of each of three classes: one fold of each class tests on two."""
    assert [sum(row.subset == "test" for row in fold) for fold in folds(rows(4, 4, 4))] == [4, 4, 4]


def test_another_image_leaves_the_order_of_the_others() -> None:
    before = {row.image for row in folds(rows(9, 9))[0] if row.subset == "test" and row.label == 1}
    after = {row.image for row in folds(rows(30, 9))[0] if row.subset == "test" and row.label == 1}
    assert before == after


def test_a_class_that_is_small_trains_in_each_fold() -> None:
    assert groups_a_class(rows(5, 2, 1)) == {"class 0": 5, "class 1": 2, "class 2": 1}
    for fold in folds(rows(5, 2, 1)):
        assert {row.label for row in fold if row.subset == "train"} == {0, 1, 2}
        assert not [row for row in fold if row.label == 2 and row.subset != "train"]
    tested = Counter(row.image for fold in folds(rows(5, 2, 1)) for row in fold if row.subset == "test")
    assert sum(tested.values()) == len(tested) == 7


SCENES = st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=8), min_size=2, max_size=5)
"""For each class the sizes of its groups."""


def scenes(sizes: list[list[int]]) -> list[Row]:
    return [
        Row(f"{label}/{group}/{i}", f"class {label}", label, "train", f"{label}/{group}")
        for label, groups in enumerate(sizes)
        for group, size in enumerate(groups)
        for i in range(size)
    ]


@given(SCENES, st.booleans())
def test_no_group_crosses_a_fold_and_each_class_trains(sizes: list[list[int]], several: bool) -> None:
    """Also where a group is of several classes, as a patient's images are."""
    drawn = [replace(row, group=row.group[2:]) if several else row for row in scenes(sizes)]
    tested: Counter[str] = Counter()
    for fold in folds(drawn):
        assert sorted(row.image for row in fold) == sorted(row.image for row in drawn)
        assert {row.label for row in fold if row.subset == "train"} == set(range(len(sizes)))
        subsets: dict[str, set[str]] = {}
        for row in fold:
            subsets.setdefault(row.group, set()).add(row.subset)
        assert all(len(found) == 1 for found in subsets.values())
        tested.update(row.image for row in fold if row.subset == "test")
    assert max(tested.values(), default=1) == 1
    if not several:
        held = {row.image for row in drawn if len(sizes[row.label]) >= FOLDS}
        assert held <= tested.keys()


@given(SCENES, st.integers(0, 99))
def test_the_order_of_rows_makes_no_difference(sizes: list[list[int]], order: int) -> None:
    drawn = scenes(sizes)
    mixed = random.Random(order).sample(drawn, len(drawn))
    assert folds(mixed) == folds(drawn)


@given(st.lists(st.lists(st.integers(1, 6), min_size=FOLDS, max_size=8), min_size=2, max_size=5))
def test_folds_of_a_class_differ_by_no_more_than_its_largest_group(sizes: list[list[int]]) -> None:
    drawn = folds(scenes(sizes))
    for label, groups in enumerate(sizes):
        tests = [sum(row.label == label and row.subset == "test" for row in fold) for fold in drawn]
        assert max(tests) - min(tests) <= max(groups)


def test_folds_are_as_even_as_those_of_scikit_learn() -> None:
    """Standard deviation over folds of the share of each class that tests, over many sets."""
    generator = np.random.default_rng(0)
    ours, theirs = [], []
    for _ in range(40):
        drawn = scenes([generator.integers(1, 7, generator.integers(3, 12)).tolist() for _ in range(4)])
        labels, groups = np.array([row.label for row in drawn]), [row.group for row in drawn]
        parts = [np.array([row.subset == "test" for row in fold]) for fold in folds(drawn)]
        kept = sorted(range(len(drawn)), key=lambda place: drawn[place].image)
        counts = np.array([np.bincount(labels[kept][part], minlength=4) for part in parts])
        known = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(labels, labels, groups)
        ours.append((counts / np.bincount(labels)).std(0).mean())
        found = np.array([np.bincount(labels[tell], minlength=4) for _, tell in known])
        theirs.append((found / np.bincount(labels)).std(0).mean())
    assert np.mean(ours) <= 1.1 * np.mean(theirs)
