"""Datasets that come in parts: folders called train, val and test, and whatever lies around them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.data.archives import Archive, open_archive
from freeze_or_tune.data.layouts import Listing, read_folder
from freeze_or_tune.data.layouts.parts import part_of
from freeze_or_tune.system.errors import UserError

from ..conftest import zipped

NAMES = {
    "train": ("train", "Training", "TRAIN", "training_set", "train-images", "traindata"),
    "val": ("val", "valid", "Validation", "dev", "validation_set", "val images"),
    "test": ("test", "Testing", "TEST", "test_set", "testset"),
}


class Named(Archive):
    """Files that have names and nothing else."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(Path("photos"))
        self._names = sorted(names)

    def names(self) -> list[str]:
        return self._names

    def read(self, name: str) -> bytes:
        return b""


def read(*names: str) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[int, tuple[str, ...]]]]:
    """Class and part of each image, and what was found."""
    archive = Named(list(names))
    listings = read_folder(archive)
    assert len({listing.image for listing in listings}) == len(listings)
    return (
        {listing.image: (listing.class_name, listing.subset) for listing in listings},
        {found.kind: (found.count, found.examples) for found in archive.findings},
    )


def refused(*names: str) -> str:
    with pytest.raises(UserError) as error:
        read_folder(Named(list(names)))
    return str(error.value)


def parts(*tops: str, classes: tuple[str, ...] = ("cat", "dog"), above: str = "") -> list[str]:
    return [f"{above}{top}/{name}/{top}{i}.png" for top in tops for name in classes for i in range(3)]


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, names in NAMES.items() for name in names])
def test_names_of_parts(part: str, name: str) -> None:
    assert part_of(name) == part


@pytest.mark.parametrize("name", ["", "trains", "tested", "valley", "devil", "trainval", "train1", "my test"])
def test_what_is_not_the_name_of_a_part(name: str) -> None:
    assert part_of(name) == ""


@given(
    chosen=st.sets(st.sampled_from(("val", "test")), min_size=1).flatmap(
        lambda others: st.fixed_dictionaries({part: st.sampled_from(NAMES[part]) for part in {"train"} | others})
    ),
    classes=st.sets(st.sampled_from(("cat", "dog", "test", "a b", "é")), min_size=2, max_size=4),
    above=st.sampled_from(("", "photos/", "my/photos/")),
    inside=st.sampled_from(("", "images/", "more/data/")),
    deeper=st.sampled_from(("", "day 1/")),
    turned=st.booleans(),
)
def test_parts_of_any_name_and_nesting_are_taken_as_given(
    chosen: dict[str, str], classes: set[str], above: str, inside: str, deeper: str, turned: bool
) -> None:
    def path(folder: str, name: str, i: int) -> str:
        middle = f"{name}/{folder}/" if turned else f"{folder}/{inside}{name}/"
        return f"{above}{middle}{deeper}{i}.png"

    wanted = {
        path(folder, name, i): (name, part) for part, folder in chosen.items() for name in classes for i in range(2)
    }
    listed, found = read(*wanted)
    assert listed == wanted
    assert found == {"read": (len(wanted), ())}


def test_a_zip_of_parts_reads_alike(tmp_path: Path) -> None:
    files = dict.fromkeys(["x/train/cat/1.png", "x/Test/cat/1.png", "x/train/dog/1.png", "x/train/dog/note.txt"], b"")
    with open_archive(zipped(tmp_path / "a.zip", files)) as archive:
        assert read_folder(archive) == [
            Listing("x/Test/cat/1.png", "cat", "test"),
            Listing("x/train/cat/1.png", "cat", "train"),
            Listing("x/train/dog/1.png", "dog", "train"),
        ]
        assert [str(found) for found in archive.findings] == [
            "Images in the parts that their folders give (train 2, test 1): 3"
        ]


def test_parts_within_folders_of_their_names() -> None:
    names = parts("training_set", above="training_set/") + parts("test_set", above="test_set/")
    listed, found = read(*names)
    assert {part for _, part in listed.values()} == {"train", "test"}
    assert {name for name, _ in listed.values()} == {"cat", "dog"}
    assert found == {"read": (12, ())}


def test_a_class_may_be_called_as_its_part() -> None:
    names = parts("train", "test", classes=("train", "tram"))
    assert set(read(*names)[0].values()) == {(name, part) for name in ("train", "tram") for part in ("train", "test")}


def test_a_flat_part_beside_one_with_classes_is_left_out_and_nothing_is_given() -> None:
    names = parts("train")
    for flat in (
        ["test/1.png", "test/2.png"],
        ["test/test/1.png", "test/test/2.png"],
        ["test/x/1.png", "test/x/2.png"],
    ):
        listed, found = read(*names, *flat)
        assert set(listed.values()) == {("cat", ""), ("dog", "")}
        assert found == {"ignored": (2, tuple(map(repr, flat))), "read": (6, ())}


def test_a_flat_part_beside_two_with_classes_leaves_them_given() -> None:
    listed, found = read(*parts("train", "valid"), "test/1.png", "train/stray.png")
    assert {part for _, part in listed.values()} == {"train", "val"}
    assert found == {"ignored": (1, ("'test/1.png'",)), "stray": (1, ("'train/stray.png'",)), "read": (12, ())}


def test_a_class_that_nothing_trains_is_left_out_and_one_that_a_part_lacks_is_kept() -> None:
    names = parts("train", "test") + parts("train", classes=("owl",)) + parts("test", classes=("emu",))
    listed, found = read(*names)
    assert {name for name, _ in listed.values()} == {"cat", "dog", "owl"}
    assert found["ignored"] == (3, tuple(repr(f"test/emu/test{i}.png") for i in range(3)))


def test_composed_and_decomposed_names_are_of_one_class_in_all_parts() -> None:
    listed, found = read(*parts("train", classes=("caf\u00e9", "dog")), *parts("test", classes=("cafe\u0301", "dog")))
    assert len(listed) == 12
    assert found == {"read": (12, ())}


def test_parts_without_one_that_trains() -> None:
    assert "the parts test and val with classes, but none that trains" in refused(*parts("val", "test"))
    assert "the parts test and val" in refused("cat/val/1.png", "cat/test/2.png", "dog/val/1.png", "dog/test/1.png")
    assert "the parts test and val" in refused(*parts("val", "test"), "train/1.png")


@pytest.mark.parametrize(
    "names",
    [
        ("train/1.png", "test/1.png"),
        ("x/Train/1.png", "x/VALID/1.png", "cover.png"),
        ("train/cat/1.png", "test/cat/1.png"),
    ],
)
def test_parts_without_classes_may_be_two_classes_and_are_refused_with_both_ways_out(names: tuple[str, ...]) -> None:
    message = refused(*names)
    assert "which are called like parts of a dataset, without two classes in them" in message
    assert "if they are parts, put" in message
    assert "if they are classes, give them other names" in message


def test_vehicles_are_classes() -> None:
    listed, found = read("bus/1.png", "train/1.png", "tram/1.png")
    assert {name for name, _ in listed.values()} == {"bus", "train", "tram"}
    assert found == {}


def test_parts_beside_another_folder_are_refused() -> None:
    message = refused(*parts("train", "test"), "masks/1.png")
    assert "holds test, train, which have the same folders in them" in message
    assert "beside masks: move all but the parts away, or, if all are classes, give them other names" in message


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["train/1.png", "test/1.png", "x/1.png"], (2, ("'test'", "'train'"))),
        ([*parts("train"), "unlabelled/1.png"], (1, ("'train'",))),
    ],
)
def test_what_may_be_parts_beside_another_folder_are_classes_and_that_is_said(
    names: list[str], said: tuple[int, tuple[str, ...]]
) -> None:
    listed, found = read(*names)
    assert {name for name, _ in listed.values()} == {name.split("/")[0] for name in names}
    assert found == {"read": said}


def test_parts_in_some_classes_only_are_none_and_that_is_said() -> None:
    listed, found = read("cat/train/1.png", "cat/test/1.png", "dog/1.png")
    assert set(listed.values()) == {("cat", ""), ("dog", "")}
    assert found == {"read": (2, ("'cat/test'", "'cat/train'"))}


def test_train_in_each_class_is_no_part() -> None:
    listed, found = read("cat/train/1.png", "dog/train/1.png")
    assert (set(listed.values()), found) == ({("cat", ""), ("dog", "")}, {})
