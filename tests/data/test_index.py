from pathlib import Path

import pytest

from freeze_or_tune.data.builtin import export_digits
from freeze_or_tune.data.index import build_index, read_index
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.system.errors import UserError

from .conftest import unpacked, zipped

PETS = {"dog, big/é 1.png": b"", "cat/2.png": b"", "cat/1.png": b""}


def test_written_sorted_and_read_back(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "pets.zip", PETS)
    build_index("folder", archive, tmp_path / "out" / "pets.csv", None)
    assert (tmp_path / "out" / "pets.csv").read_text(encoding="utf-8").splitlines() == [
        "image,class,subset,group",
        "cat/1.png,cat,,",
        "cat/2.png,cat,,",
        '"dog, big/é 1.png","dog, big",,',
    ]
    assert read_index(tmp_path / "out" / "pets.csv") == [
        Listing("cat/1.png", "cat"),
        Listing("cat/2.png", "cat"),
        Listing("dog, big/é 1.png", "dog, big"),
    ]


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    odd = b"cat/\xff.png".decode("utf-8", "surrogateescape")
    folder = unpacked(tmp_path / "pets", {odd: b"", "dog/1.png": b""})
    build_index("folder", folder, tmp_path / "pets.csv", 1)
    assert [listing.image for listing in read_index(tmp_path / "pets.csv")] == ["dog/1.png", odd][::-1]


def test_smallest_class_of_the_digits(tmp_path: Path) -> None:
    export_digits(tmp_path / "digits.zip")
    build_index("digits", tmp_path / "digits.zip", tmp_path / "digits.csv", 174)
    assert len(read_index(tmp_path / "digits.csv")) == 1797


def test_smallest_class_of_the_solar_cells(tmp_path: Path, elpv: Path) -> None:
    build_index("solar-cells", elpv, tmp_path / "elpv.csv", 313)
    assert len(read_index(tmp_path / "elpv.csv")) == 588 + 313 + 920 + 402


def test_a_half_of_imagenet_is_half_of_its_classes(tmp_path: Path) -> None:
    names = [f"n{i:08d}" for i in range(1000)]
    folder = unpacked(tmp_path / "train", {f"{name}/{name}_1.JPEG": b"" for name in names})
    for half, first in (("A", [0, 1, 2, 5, 9]), ("B", [3, 4, 6, 7, 8])):
        build_index("ilsvrc2012", folder, tmp_path / "half.csv", 1, half)
        classes = [listing.class_name for listing in read_index(tmp_path / "half.csv")]
        assert classes[:5] == [names[i] for i in first]
        assert len(classes) == 500


@pytest.mark.parametrize("declared", [2, 0, 100])
def test_wrong_declaration(tmp_path: Path, declared: int) -> None:
    with pytest.raises(UserError, match=f"'dog, big', has 1 images, but .* smallest_class: {declared}"):
        build_index("folder", zipped(tmp_path / "pets.zip", PETS), tmp_path / "pets.csv", declared)
    assert not (tmp_path / "pets.csv").exists()


def test_unknown_reader(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'folders' is not a reader of datasets; there are glyphs, digits, folder"):
        build_index("folders", tmp_path, tmp_path / "x.csv", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,class\n", "first line is 'image,class', not 'image,class,subset,group'"),
        ("", "first line is ''"),
        ("image,class,subset,group\na,cat,,\nb,cat,\n", "line 3: 3 cells, not 4"),
        ("image,class,subset,group\na,cat,,\na,cat,,\n", "line 3: 'a' stands twice"),
        ("image,class,subset,group\na,cat,tes,\n", "line 2: the subset is 'tes'"),
        ("image,class,subset,group\na,,,\n", "line 2: the image or its class is missing"),
        ('image,class,subset,group\n"a,cat,,\n', "line 2: unexpected end"),
    ],
)
def test_damaged_index(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_index(tmp_path / "x.csv")


def test_missing_index(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*x\.csv: No such file"):
        read_index(tmp_path / "x.csv")
