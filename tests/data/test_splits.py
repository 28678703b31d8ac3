from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.splits import Row, draw, read_split, write_split
from freeze_or_tune.system.errors import UserError

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)


def pets(each: int = 30, classes: tuple[str, ...] = ("cat", "dog", "emu")) -> list[Listing]:
    return [Listing(f"{name}/{i}.png", name) for name in classes for i in range(each)]


def subset(rows: list[Row], name: str) -> set[str]:
    return {row.image for row in rows if row.subset == name}


def test_balanced_without_overlap() -> None:
    rows = draw(pets(), dataset="pets", seed=0, n=10, val=5, test=7)
    assert Counter((row.class_name, row.label, row.subset) for row in rows) == {
        (name, label, kind): count
        for label, name in enumerate(("cat", "dog", "emu"))
        for kind, count in (("train", 10), ("val", 5), ("test", 7))
    }
    assert len({row.image for row in rows}) == len(rows)
    assert rows == sorted(rows, key=lambda row: row.image)
    assert all(row.image.startswith(row.class_name) for row in rows)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 10_000), st.randoms())
@settings(max_examples=40, deadline=None)
def test_nested_and_independent_of_order(a: int, b: int, seed: int, shuffler) -> None:  # type: ignore[no-untyped-def]
    small, large = sorted((a, b))
    listings = pets()
    few = draw(listings, dataset="pets", seed=seed, n=small, val=4, test=6)
    shuffler.shuffle(listings)
    many = draw(listings, dataset="pets", seed=seed, n=large, val=4, test=6)
    assert subset(few, "train") <= subset(many, "train")
    assert subset(few, "val") == subset(many, "val")
    assert subset(few, "test") == subset(many, "test")


@given(names)
@settings(max_examples=60, deadline=None)
def test_a_stray_image_moves_one_image_a_subset_of_its_own_class_at_most(stray: str) -> None:
    before = draw(pets(), dataset="pets", seed=1, n=10, val=5, test=5)
    image = f"dog/stray {stray}"
    after = draw([*pets(), Listing(image, "dog")], dataset="pets", seed=1, n=10, val=5, test=5)
    for kind in ("train", "val", "test"):
        gone, new = subset(before, kind) - subset(after, kind), subset(after, kind) - subset(before, kind)
        assert len(gone) == len(new) <= 1
        assert all(image.startswith("dog/") for image in gone | new)


@given(st.lists(names, min_size=3, max_size=12, unique=True), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_any_file_names_survive_writing(tmp_path_factory: pytest.TempPathFactory, files: list[str], seed: int) -> None:
    listings = [Listing(f"{name}/{file}", name) for name in ("a, b", 'c "d"') for file in files]
    rows = draw(listings, dataset="odd", seed=seed, n=1, val=1, test=1)
    path = tmp_path_factory.mktemp("splits") / "split.csv"
    write_split(rows, path)
    assert read_split(path, 1, 1, 1) == rows


def test_seed_and_dataset_change_the_draw() -> None:
    draws = [
        draw(pets(), dataset=dataset, seed=seed, n=10, val=5, test=5)
        for dataset, seed in (("pets", 0), ("pets", 1), ("zoo", 0))
    ]
    assert draws[0] != draws[1]
    assert draws[0] != draws[2]


def test_every_image_is_as_likely_to_be_drawn() -> None:
    counts = Counter(
        image
        for seed in range(400)
        for image in subset(draw(pets(10, ("cat",)), dataset="p", seed=seed, n=3, val=1, test=1), "train")
    )
    # Binomial(400, 0.3): mean 120, standard deviation 9.2; ten counts stay within four of them.
    assert len(counts) == 10
    assert all(120 - 37 < count < 120 + 37 for count in counts.values())


def test_a_drawn_split_never_changes() -> None:
    # Sorted by sha256 of the JSON [0,"pets",class,image], cats are 3, 1, 2, 0, 5, 4 and dogs 1, 5, 0, 3, 4, 2.
    rows = draw(pets(6, ("cat", "dog")), dataset="pets", seed=0, n=1, val=1, test=1)
    assert [(row.image, row.subset) for row in rows] == [
        ("cat/1.png", "val"),
        ("cat/2.png", "train"),
        ("cat/3.png", "test"),
        ("dog/0.png", "train"),
        ("dog/1.png", "test"),
        ("dog/5.png", "val"),
    ]


def test_too_few_images() -> None:
    listings = [*pets(30), Listing("yak/1.png", "yak"), Listing("yak/2.png", "yak"), Listing("yak/3.png", "yak")]
    with pytest.raises(
        UserError, match=r"dataset 'pets', class 'yak': 5 .* = 7 images .* there are 3; n may be 1 at most"
    ):
        draw(listings, dataset="pets", seed=0, n=5, val=1, test=1)
    with pytest.raises(UserError, match="there are 3; take fewer validation and test images"):
        draw(listings, dataset="pets", seed=0, n=1, val=1, test=2)
    with pytest.raises(UserError, match="'pets' has no images"):
        draw([], dataset="pets", seed=0, n=1, val=1, test=1)
    assert len(draw(listings, dataset="pets", seed=0, n=1, val=1, test=1)) == 12


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_split(draw(pets(), dataset="pets", seed=0, n=3, val=2, test=2), tmp_path / "n3.csv")
    return tmp_path / "n3.csv"


def test_any_truncation_is_an_error(written: Path) -> None:
    whole = written.read_text()
    assert whole.startswith("image,class,label,subset\ncat/")
    for end in range(0, len(whole) - 1, 7):
        written.write_text(whole[:end])
        with pytest.raises(UserError, match=r"n3\.csv"):
            read_split(written, 3, 2, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",train\n", ",val\n", "class 'cat' \\(label 0\\) has 2 images of subset 'train', not 3"),
        (",train\n", ",training\n", "'train', not 3"),
        (",1,", ",7,", "label 1"),
        (",1,", ",x,", "the label is 'x', not a number"),
        ("dog/", "cat/", "stands twice or out of order"),
    ],
)
def test_changed_split(written: Path, old: str, new: str, message: str) -> None:
    written.write_text(written.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=f"n3.csv is damaged .*{message}.*; delete it and run snakemake again"):
        read_split(written, 3, 2, 2)


def test_a_split_of_other_sizes_is_not_taken(written: Path) -> None:
    assert len(read_split(written, 3, 2, 2)) == 21
    for sizes in ((4, 2, 2), (3, 1, 2), (3, 2, 3)):
        with pytest.raises(UserError, match="is damaged"):
            read_split(written, *sizes)
