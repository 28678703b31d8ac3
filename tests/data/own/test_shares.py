from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.own.shares import FEWEST, draw_shares
from freeze_or_tune.data.splits import Row, read_split, write_split

SIZES = st.lists(st.integers(FEWEST, 60), min_size=1, max_size=5)
SHARES = st.floats(0.01, 0.4)


def part(sizes: list[int], val: float = 0.2, test: float = 0.2, most: int = 100, seed: int = 0) -> list[Row]:
    listings = [Listing(f"{name}/{i}.png", f"class {name}") for name, size in enumerate(sizes) for i in range(size)]
    return draw_shares(listings, dataset="pets", seed=seed, val=val, test=test, most=most)


@given(SIZES, SHARES, SHARES, st.integers(1, 30))
def test_each_image_is_in_one_subset_and_each_class_in_all(
    sizes: list[int], val: float, test: float, most: int
) -> None:
    rows = part(sizes, val, test, most)
    assert len({row.image for row in rows}) == len(rows) == sum(sizes)
    counts = Counter((row.label, row.subset) for row in rows)
    for label, size in enumerate(sizes):
        for subset, share in (("val", val), ("test", test)):
            assert counts[label, subset] == max(1, min(most, int(share * size)))
        assert counts[label, "train"] >= 1


def test_another_class_changes_nothing_in_the_others() -> None:
    assert set(part([10, 20])) < set(part([10, 20, 30]))


def test_the_seed_decides_who_tests() -> None:
    tests = [{row.image for row in part([40], seed=seed) if row.subset == "test"} for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]


def test_a_class_that_cannot_be_parted_is_an_error() -> None:
    with pytest.raises(ValueError, match="'class 0' has 2 images"):
        part([2, 9])


def test_such_a_split_is_read_back_whatever_its_classes_have(tmp_path) -> None:
    rows = part([3, 50])
    write_split(rows, tmp_path / "split.csv")
    assert read_split(tmp_path / "split.csv", 0, 0, 0, pool="shares") == rows
