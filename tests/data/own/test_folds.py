from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.data.own.folds import FOLDS, draw_fold, smallest_class
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


def test_too_few_images_are_refused() -> None:
    assert smallest_class(rows(5, 2)) == 2
    with pytest.raises(ValueError, match="class 'class 1' has 2 images, fewer than 3"):
        draw_fold(rows(5, 2), 0, dataset="d", seed=0, val=0.25)
