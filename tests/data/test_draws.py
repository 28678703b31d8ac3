"""Official pools, classes of unequal size and groups: what `test_splits.py` does not have."""

import hashlib
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freeze_or_tune.data.halves import VALID_LISTS, half_classes, in_half, valid_list
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.splits import Draw, draw, read_split, write_split
from freeze_or_tune.data.tallies import tally
from freeze_or_tune.records.tallies import SplitTally, Tally
from freeze_or_tune.system.errors import UserError

from .drawn import sizes, subset

LABELS = "CCA", "Turf", "Sand", "Pocill"


def birds(train: int = 30, test: int = 29) -> list[Listing]:
    """Ten classes with an official split; class 3 has seven training and two test images fewer."""
    sizes = {"train": train, "test": test}
    return [
        Listing(f"{name}/{subset}{i}.jpg", f"bird {name}", subset)
        for name in range(10)
        for subset, size in sizes.items()
        for i in range(size - (7 if subset == "train" else 2) * (name == 3))
    ]


def reef(seed: int = 0, quadrats: int = 60, points: int = 40) -> list[Listing]:
    """Points of four labels, very unequal, in quadrats of three photos each, as at Moorea."""
    chance = random.Random(seed)
    return [
        Listing(f"qu{q}_{year}.jpg@{i},0", chance.choices(LABELS, (60, 25, 10, 5))[0], group=f"{q}")
        for q in range(quadrats)
        for year in (2008, 2009, 2010)
        for i in range(points // 3)
    ]  # fmt: skip


def test_official_test_images_are_used_whole_and_for_nothing_else() -> None:
    rows = draw(birds(), dataset="cub", seed=0, n=20, val=2, test=0, pool="official")
    assert sizes(rows) == {"train": {20}, "val": {2}, "test": {29, 27}}
    assert subset(rows, "test") == {listing.image for listing in birds() if listing.subset == "test"}
    assert len({row.image for row in rows}) == len(rows)


def test_images_on_no_official_list_are_not_used() -> None:
    listings = [*birds(), *(Listing(f"{name}/more{i}.jpg", f"bird {name}") for name in range(10) for i in range(50))]
    drawn = draw(listings, dataset="mit", seed=0, n=20, val=2, test=0, pool="official")
    assert drawn == draw(birds(), dataset="mit", seed=0, n=20, val=2, test=0, pool="official")


@given(st.integers(1, 35), st.integers(1, 35), st.integers(0, 1000), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_up_to_n_is_nested_and_balanced_where_it_can_be(a: int, b: int, seed: int, order: int) -> None:
    few_n, many_n = sorted((a, b))
    listings = birds()
    few = draw(listings, dataset="cub", seed=seed, n=few_n, val=2, test=0, pool="official", up_to=True)
    random.Random(order).shuffle(listings)
    many = draw(listings, dataset="cub", seed=seed, n=many_n, val=2, test=0, pool="official", up_to=True)
    assert subset(few, "train") <= subset(many, "train")
    assert subset(few, "val") == subset(many, "val")
    assert subset(few, "test") == subset(many, "test")
    assert sizes(many)["train"] == {min(many_n, 28), min(many_n, 21)}


def test_what_an_official_pool_cannot_be() -> None:
    for listings, arguments, message in (
        (birds(), {"test": 5}, "its own test images are used whole, so test must be 0"),
        (
            [Listing("a", "x"), Listing("b", "y", "train")],
            {},
            "no official training and test images; say how many",
        ),
        (birds(), {"n": 22}, r"'bird 3': 22 training \+ 2 validation .* there are 23; n may be 21 at most"),
        (
            [*birds(), *(Listing(f"new/{i}", "new", "train") for i in range(30))],
            {},
            "'new' has no official test images",
        ),
    ):
        with pytest.raises(UserError, match=message):
            draw(listings, dataset="cub", seed=0, **({"n": 2, "val": 2, "test": 0, "pool": "official"} | arguments))


def test_classes_with_enough_images() -> None:
    listings = [
        Listing(f"{name}/{i}.png", name)
        for name, size in zip("abcd", (9, 10, 500, 3), strict=True)
        for i in range(size)
    ]
    rows = draw(listings, dataset="plankton", seed=0, n=4, val=1, test=2, enough=10)
    assert {(row.class_name, row.label) for row in rows} == {("b", 0), ("c", 1)}
    assert sizes(rows) == {"train": {4}, "val": {1}, "test": {2}}
    with pytest.raises(UserError, match="'plankton' has no class with 501 images; ask for fewer"):
        draw(listings, dataset="plankton", seed=0, n=4, val=1, test=2, enough=501)


@pytest.mark.slow
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 500), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_groups_never_cross_subsets(a: int, b: int, seed: int, order: int) -> None:
    few_n, many_n = sorted((a, b))
    listings = reef(seed)
    group = {listing.image: listing.group for listing in listings}
    few = draw(listings, dataset="reef", seed=seed, n=few_n, val=5, test=15, up_to=True)
    random.Random(order).shuffle(listings)
    many = draw(listings, dataset="reef", seed=seed, n=many_n, val=5, test=15, up_to=True)
    assert subset(few, "train") <= subset(many, "train")
    for name in ("val", "test"):
        assert subset(few, name) == subset(many, name)
    owners = {
        name: {group[image] for image in subset(few, name) | subset(many, name)} for name in ("train", "val", "test")
    }
    assert sum(map(len, owners.values())) == len(set().union(*owners.values()))
    assert sizes(many)["val"] == {5}
    assert sizes(many)["test"] == {15}


@pytest.mark.slow
def test_groups_give_exact_counts_and_leave_enough_for_training() -> None:
    # The rarest label has about 5 % of 2,340 points, so that 117 - 20 - 5 and what else is in its groups remain.
    for seed in range(20):
        rows = draw(reef(seed), dataset="reef", seed=seed, n=60, val=5, test=15)
        assert sizes(rows) == {"train": {60}, "val": {5}, "test": {15}}


@pytest.mark.slow
def test_a_stray_point_moves_few_images_between_grouped_subsets() -> None:
    moved: Counter[str] = Counter()
    for seed in range(20):
        listings = reef(seed)
        before = draw(listings, dataset="reef", seed=seed, n=60, val=5, test=15)
        for stray in (Listing("stray@1,1", "Pocill", group="new"), Listing("qu3_2008.jpg@77,1", "Turf", group="3")):
            after = draw([*listings, stray], dataset="reef", seed=seed, n=60, val=5, test=15)
            moved.update({name: len(subset(before, name) - subset(after, name)) for name in ("train", "val", "test")})
    # Of 40 draws with 240, 20 and 60 images: a group that changes its subset takes its images along, but seldom does.
    assert moved["train"] < 40 * 240 * 0.02
    assert moved["val"] < 40 * 20 * 0.1
    assert moved["test"] < 40 * 60 * 0.05


def test_a_rare_class_gets_groups_in_each_subset() -> None:
    listings = [Listing(f"{q}@{i}", "sand", group=f"q{q}") for q in range(100) for i in range(10)]
    listings += [Listing(f"{q}@rare{i}", "rare", group=f"q{q}") for q in (7, 50, 93) for i in range(5)]
    for seed in range(20):
        rows = draw(listings, dataset="reef", seed=seed, n=5, val=5, test=5)
        assert sizes(rows) == {"train": {5}, "val": {5}, "test": {5}}


def test_groups_that_leave_too_little() -> None:
    listings = [Listing(f"{q}@{i}", "sand", group=f"q{q}") for q in range(3) for i in range(10)]
    with pytest.raises(
        UserError, match=r"class 'sand': 11 images are wanted for train, but its groups hold 10 \(images"
    ):
        draw(listings, dataset="reef", seed=0, n=11, val=2, test=2)
    with pytest.raises(UserError, match="1 images are wanted for train, but its groups hold 0"):
        draw(listings, dataset="reef", seed=0, n=8, val=2, test=11, up_to=True)


def test_an_image_without_a_group_is_one_of_its_own() -> None:
    listings = [*reef(), *(Listing(f"lone{i}.jpg@0,0", "Lone") for i in range(30))]
    rows = draw(listings, dataset="reef", seed=0, n=20, val=5, test=5)
    assert sizes(rows) == {"train": {20}, "val": {5}, "test": {5}}


def test_a_group_of_the_official_test_set_is_not_trained_on() -> None:
    listings = [
        Listing(f"{name}/{subset}{i}", name, subset, f"g{i}" if subset == "train" else f"g{i + 8}")
        for name in "ab"
        for subset in ("train", "test")
        for i in range(10)
    ]
    rows = draw(listings, dataset="x", seed=0, n=9, val=1, test=0, pool="official", up_to=True)
    assert sizes(rows) == {"test": {10}, "val": {1}, "train": {7}}


def test_reading_back_what_is_not_exact(tmp_path: Path) -> None:
    rows = draw(birds(), dataset="cub", seed=0, n=25, val=2, test=0, pool="official", up_to=True)
    path = tmp_path / "n25.csv"
    write_split(rows, path)
    assert read_split(path, 25, 2, 0, pool="official", up_to=True) == rows
    for n, val, options, message in (
        (25, 2, {"pool": "official"}, "'bird 3' .* has 21 images of subset 'train', not 25"),
        (24, 2, {"pool": "official", "up_to": True}, "has 25 images of subset 'train', not 1 to 24"),
        (25, 3, {"pool": "official", "up_to": True}, "has 2 images of subset 'val', not 3"),
        (25, 2, {"up_to": True}, "has 29 images of subset 'test', not 0"),
    ):
        with pytest.raises(UserError, match=message):
            read_split(path, n, val, 0, **options)
    write_split([row for row in rows if (row.class_name, row.subset) != ("bird 5", "test")], path)
    with pytest.raises(UserError, match=r"'bird 5' \(label 5\) has 0 images of subset 'test', not 1 to"):
        read_split(path, 25, 2, 0, pool="official", up_to=True)


def test_tally_of_an_official_pool() -> None:
    what = Draw(seed=0, n=35, val=2, test=0, pool="official", up_to=True)
    counts = tally(birds(), draw(birds(), dataset="cub", **what._asdict()), what)
    assert counts == SplitTally(
        classes_available=10,
        classes_used=10,
        train=Tally(asked=35, available=23, fewest=21, most=28, images=9 * 28 + 21),
        val=Tally(asked=2, available=23, fewest=2, most=2, images=20),
        test=Tally(asked=None, available=27, fewest=27, most=29, images=9 * 29 + 27),
    )


def test_tally_of_classes_with_enough() -> None:
    listings = [
        Listing(f"{name}/{i}", name) for name, size in zip("abc", (9, 10, 50), strict=True) for i in range(size)
    ]
    what = Draw(seed=0, n=4, val=1, test=2, enough=10)
    counts = tally(listings, draw(listings, dataset="plankton", **what._asdict()), what)
    assert counts == SplitTally(
        classes_available=3,
        classes_used=2,
        train=Tally(asked=4, available=10, fewest=4, most=4, images=8),
        val=Tally(asked=1, available=10, fewest=1, most=1, images=2),
        test=Tally(asked=2, available=10, fewest=2, most=2, images=4),
    )


def test_halves_are_those_of_yosinski() -> None:
    # First members: computed from convnet_transfer's half0 (facts of the project, section 3).
    a, b = half_classes("A"), half_classes("B")
    assert a[:12] == [0, 1, 2, 5, 9, 10, 15, 16, 17, 19, 20, 22]
    assert b[:10] == [3, 4, 6, 7, 8, 11, 12, 13, 14, 18]
    assert (len(a), len(b), sorted(a + b)) == (500, 500, list(range(1000)))


def test_the_images_of_a_half_are_renumbered_when_drawn() -> None:
    listings = [Listing(f"n{k:08d}/{i}", f"n{k:08d}") for k in range(1000) for i in range(3)]
    random.Random(0).shuffle(listings)
    rows = draw(in_half(listings, "B"), dataset="500B", seed=0, n=1, val=1, test=1)
    labels = {row.class_name: row.label for row in rows}
    assert len(labels) == 500
    assert [labels[f"n{k:08d}"] for k in (3, 4, 6, 7, 8, 11)] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(UserError, match="ImageNet's 1000 classes, but there are 10"):
        in_half(birds(), "A")


def validated(truth: list[int]) -> list[Listing]:
    """One training image of each class, and validation images of the given classes, in no order."""
    train = [Listing(f"n{k:08d}/n{k:08d}_1.JPEG", f"n{k:08d}", "train") for k in range(1000)]
    val = [Listing(f"val/ILSVRC2012_val_{i:08d}.JPEG", f"n{k:08d}", "test") for i, k in enumerate(truth, 1)]
    return random.Random(0).sample(train + val, len(train + val))


def reduced(truth: list[int], half: list[int]) -> str:
    """What make_reduced_dataset.py writes: the lines of Caffe's val.txt whose class is in a half, renumbered."""
    lines = [f"ILSVRC2012_val_{i:08d}.JPEG {k}" for i, k in enumerate(truth, 1)]
    kept = [line.split() for line in lines if int(line.split()[1]) in half]
    return "".join(f"{name} {half.index(int(old))}\n" for name, old in kept)


def test_the_valid_list_of_a_half_is_that_of_convnet_transfer() -> None:
    truth = [random.Random(1).randrange(1000) for _ in range(3000)]
    chosen = sorted(int(k) for k in np.random.RandomState([0]).choice(np.arange(1000), 500, replace=False))
    assert valid_list(in_half(validated(truth), "A")) == reduced(truth, chosen)
    assert valid_list(in_half(validated(truth), "B")) == reduced(truth, sorted(set(range(1000)) - set(chosen)))


@pytest.mark.slow
def test_a_whole_validation_set_must_be_the_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = [i % 1000 for i in range(50_000)]
    with pytest.raises(UserError, match=r"500A are not those of Yosinski .* not 2f10009e20d77eb7007cf70674958b94"):
        in_half(validated(truth), "A")
    # Without a single image of it, the set is not whole, and nothing is known about it.
    assert len(in_half(validated(truth[:-1]), "A")) == 500 + 25_000 - (999 in half_classes("A"))
    expected = hashlib.md5(reduced(truth, half_classes("B")).encode()).hexdigest()
    monkeypatch.setitem(VALID_LISTS, "B", expected)
    assert len(in_half(validated(truth), "B")) == 500 + 25_000


@given(st.integers(1, 12), st.integers(0, 500), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_rest_is_tested_and_is_the_same_for_all_n(n: int, seed: int, order: int) -> None:
    listings = birds()
    few = draw(listings, dataset="cub", seed=seed, n=n, val=2, test=0, pool="rest", largest=12)
    random.Random(order).shuffle(listings)
    many = draw(listings, dataset="cub", seed=seed, n=12, val=2, test=0, pool="rest", largest=12)
    assert subset(few, "train") <= subset(many, "train")
    assert subset(few, "test") == subset(many, "test")
    assert subset(few, "val") == subset(many, "val")
    # All images of the dataset, whose class 3 has nine fewer than the 59 of the others.
    assert sizes(many) == {"train": {12}, "val": {2}, "test": {45, 36}}
    assert len({row.image for row in many}) == len(many) == len(listings)


def test_the_rest_must_be_something() -> None:
    with pytest.raises(UserError, match=r"'bird 3': 48 training \+ 2 validation \+ 1 test = 51 images .* there are 50"):
        draw(birds(), dataset="cub", seed=0, n=5, val=2, test=0, pool="rest", largest=48)
    with pytest.raises(UserError, match="images of a group stay together"):
        draw(reef(), dataset="reef", seed=0, n=5, val=2, test=0, pool="rest", largest=5)


def test_a_split_tested_on_the_rest_is_read_again(tmp_path: Path) -> None:
    rows = draw(birds(), dataset="cub", seed=0, n=3, val=2, test=0, pool="rest", largest=12)
    write_split(rows, tmp_path / "n3.csv")
    assert read_split(tmp_path / "n3.csv", 3, 2, 0, pool="rest") == rows
