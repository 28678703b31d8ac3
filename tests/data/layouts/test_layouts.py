from collections import Counter
from pathlib import Path

import pytest

from freeze_or_tune.data.archives import open_archive
from freeze_or_tune.data.layouts import READERS, Listing, around, read_folder, read_solar_cells
from freeze_or_tune.system.errors import UserError

from ..conftest import unpacked, zipped


def listed(path: Path, *names: str) -> list[Listing]:
    with open_archive(zipped(path / "a.zip", dict.fromkeys(names, b""))) as archive:
        return read_folder(archive)


def test_one_folder_a_class(tmp_path: Path) -> None:
    assert listed(tmp_path, "cat/1.png", "big dog/é.JPG", "cat/2.webp") == [
        Listing("big dog/é.JPG", "big dog"),
        Listing("cat/1.png", "cat"),
        Listing("cat/2.webp", "cat"),
    ]


def test_a_folder_reads_like_a_zip(tmp_path: Path) -> None:
    unpacked(tmp_path / "pets", {"cat/1.png": b"", "dog/1.png": b""})
    with open_archive(tmp_path / "pets") as archive:
        assert read_folder(archive) == [Listing("cat/1.png", "cat"), Listing("dog/1.png", "dog")]


def test_classes_may_lie_deeper_and_have_folders_of_their_own(tmp_path: Path) -> None:
    listings = listed(tmp_path, "my/pets/cat/1.png", "my/pets/cat/more/1.png", "my/pets/cats/1.png")
    assert [listing.class_name for listing in listings] == ["cat", "cat", "cats"]


def test_what_is_no_image_is_ignored(tmp_path: Path) -> None:
    names = ["cat/Thumbs.db", "cat/.1.png", "__MACOSX/cat/._1.png", ".git/x.png", "readme.txt", "cat/labels.csv"]
    listings = listed(tmp_path, "cat/1.png", "dog/1.png", *names)
    assert [listing.image for listing in listings] == ["cat/1.png", "dog/1.png"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["cat/1.txt"], "holds no images"),
        (["cat/1.png", "cat/2.png"], "only one folder of images"),
        (["1.png", "2.png"], "only one folder of images"),
        (
            ["1.png", "2.png", "3.png", "cat/1.png", "dog/1.png"],
            "3 of 5 images are in no folder of a class, such as '1.p",
        ),
    ],
)
def test_what_cannot_be_classes(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        listed(tmp_path, *names)


def test_pictures_beside_the_folders_of_classes_are_left_out_and_named(tmp_path: Path) -> None:
    names = ["cover.png", "my/other.png", "my/cat/1.png", "my/dog/1.png", "my/dog/2.png"]
    with open_archive(zipped(tmp_path / "a.zip", dict.fromkeys(names, b""))) as archive:
        assert {listing.class_name: listing.subset for listing in read_folder(archive)} == {"cat": "", "dog": ""}
        (found,) = archive.findings
        assert (found.kind, found.examples) == ("stray", ("'cover.png'", "'my/other.png'"))
        assert around(archive, names[2:]) == []  # it is said once


def test_solar_cells_are_those_of_the_paper_of_elpv(elpv: Path) -> None:
    # Counts: README of the ELPV dataset, table of the four probabilities and two kinds of module.
    with open_archive(elpv) as archive:
        listings = READERS["solar-cells"](archive)
        assert {listing.image for listing in listings} <= set(archive.names())
    assert Counter(listing.class_name for listing in listings) == {
        "mono-intact": 588,
        "mono-defective": 313,
        "poly-intact": 920,
        "poly-defective": 402,
    }
    assert Listing("elpv_dataset/data/images/cell0001.png", "mono-defective") in listings
    assert Listing("elpv_dataset/data/images/cell0004.png", "mono-intact") in listings


def test_another_archive_is_not_elpv(tmp_path: Path) -> None:
    with (
        open_archive(zipped(tmp_path / "a.zip", {"x.csv": b""})) as archive,
        pytest.raises(UserError, match="not the ELPV dataset"),
    ):
        read_solar_cells(archive)
