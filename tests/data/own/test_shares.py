import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupShuffleSplit

from freeze_or_tune.data.groups import group_of
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.own.shares import FEWEST, draw_shares, given_parts
from freeze_or_tune.data.splits import Row, read_split, write_split
from freeze_or_tune.system.errors import UserError

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


def test_a_class_without_training_images_is_an_error() -> None:
    listings = [Listing("a/1", "a", "train"), Listing("a/2", "a", "test"), Listing("b/1", "b", "test")]
    with pytest.raises(ValueError, match="'b' has no image to train on"):
        draw_shares(listings, dataset="pets", seed=0, val=0.2, test=0.2, most=100)


def test_such_a_split_is_read_back_whatever_its_classes_have(tmp_path) -> None:
    rows = part([3, 50])
    write_split(rows, tmp_path / "split.csv")
    assert read_split(tmp_path / "split.csv", 0, 0, 0, pool="shares") == rows
    grouped = [replace(row, group=f"g{place // 2}") for place, row in enumerate(part([1, 2, 9]))]
    write_split(grouped, tmp_path / "split.csv", grouped=True)
    assert read_split(tmp_path / "split.csv", 0, 0, 0, pool="shares") == grouped


@pytest.mark.parametrize(("subset", "words"), [("test", "no images of subset 'test'"), ("train", "'class 0' .* has 0")])
def test_a_split_that_cannot_be_used_is_told(tmp_path, subset: str, words: str) -> None:
    rows = [row for row in part([5, 9]) if row.subset != subset]
    write_split(rows, tmp_path / "split.csv", grouped=True)
    with pytest.raises(UserError, match=words):
        read_split(tmp_path / "split.csv", 0, 0, 0, pool="shares")


@st.composite
def listed(draw: st.DrawFn) -> list[Listing]:
    """Images of several classes, in groups that may be of several, some of them in given parts; each class trains."""
    classes = draw(st.integers(1, 4))
    parts = draw(st.sampled_from([("",), ("", "train"), ("train", "test"), ("train", "val", "test"), ("", "val")]))
    found = [Listing(f"{name}/first", f"class {name}", parts[0]) for name in range(classes)]
    rows = st.tuples(st.integers(0, classes - 1), st.sampled_from(parts), st.sampled_from(["", *"abcdefgh"]))
    drawn = draw(st.lists(rows, max_size=60))
    return found + [Listing(f"{name}/{i}", f"class {name}", part, group) for i, (name, part, group) in enumerate(drawn)]


@given(listed(), SHARES, SHARES, st.integers(1, 30), st.integers(0, 99))
def test_given_parts_are_whole_and_no_group_is_parted_by_drawing(
    listings: list[Listing], val: float, test: float, most: int, order: int
) -> None:
    rows = draw_shares(listings, dataset="pets", seed=order, val=val, test=test, most=most)
    mixed = random.Random(order).sample(listings, len(listings))
    assert draw_shares(mixed, dataset="pets", seed=order, val=val, test=test, most=most) == rows
    assert [row.image for row in rows] == sorted(listing.image for listing in listings)
    given_as = {listing.image: listing.subset for listing in listings}
    kept = given_parts(listings)
    for row in rows:
        assert row.subset == given_as[row.image] if given_as[row.image] in kept else row.subset not in kept
    drawn = [row for row in rows if given_as[row.image] not in kept]
    subsets: dict[str, set[str]] = {}
    for row in drawn:
        subsets.setdefault(group_of(row), set()).add(row.subset)
    assert all(len(found) == 1 for found in subsets.values())
    assert {row.class_name for row in drawn if row.subset == "train"} == {row.class_name for row in rows}


@given(
    st.lists(st.lists(st.integers(1, 8), min_size=1, max_size=9), min_size=1, max_size=4), SHARES, SHARES,
    st.integers(1, 30),
)  # fmt: skip
def test_shares_are_kept_as_far_as_groups_allow(sizes: list[list[int]], val: float, test: float, most: int) -> None:
    """At most the share, or one group where that is larger; nothing only where too few groups are left."""
    listings = [
        Listing(f"{name}/{group}/{i}", f"class {name}", "", f"{name}/{group}")
        for name, groups in enumerate(sizes)
        for group, size in enumerate(groups)
        for i in range(size)
    ]
    counts = Counter(
        (row.label, row.subset) for row in draw_shares(listings, dataset="p", seed=0, val=val, test=test, most=most)
    )
    for label, groups in enumerate(sizes):
        for subset, share, least, group in (("test", test, 2, min(groups)), ("val", val, 3, max(groups))):
            quota = max(1, min(most, int(share * sum(groups))))
            assert counts[label, subset] <= max(quota, group)
            assert (counts[label, subset] > 0) == (len(groups) >= least)
        assert counts[label, "train"] > 0


def test_as_many_test_as_where_scikit_learn_shuffles_groups() -> None:
    """On the mean over many sets the share that tests is that of GroupShuffleSplit, which parts no group either."""
    generator, ours, theirs = np.random.default_rng(0), [], []
    for seed in range(40):
        sizes = generator.integers(1, 7, 20)
        groups = np.repeat(np.arange(20), sizes)
        listings = [Listing(f"{i:03}", "a", "", f"g{group}") for i, group in enumerate(groups)]
        rows = draw_shares(listings, dataset="p", seed=seed, val=0.2, test=0.2, most=100)
        ours.append(np.mean([row.subset == "test" for row in rows]))
        _, tests = next(GroupShuffleSplit(1, test_size=0.2, random_state=seed).split(groups, groups=groups))
        theirs.append(len(tests) / len(groups))
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.02)
