"""Tables as datasets: CSVs beside images, and folders or zips that hold their own, as imagefolder of the Hub has."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.data.archives import open_archive
from freeze_or_tune.data.index import build_index, read_index
from freeze_or_tune.data.layouts import Listing, read_listed
from freeze_or_tune.data.tables.names import Said
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.study.opening import Columns, Opening
from freeze_or_tune.system.errors import UserError

from ..conftest import empty, tarred, unpacked, zipped

Files = Mapping[str, bytes]
CELL = st.sampled_from(
    [
        "0.png", "more\\1.png", "1", "é.png", "/etc/passwd", "../x", "~", ".", "", "cat", "dog", "train", "0.5", "a;b",
        "path", "label", "split", "id", "#", "{", '"', "\0", "\u2028", "sep=;", "http://x/y", "a" * 300,
    ]
)  # fmt: skip
MAKERS = {"folder": unpacked, "zip": zipped, "tar": tarred}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Files], Path]:
    """Put files into a folder, a zip or a tar."""
    kind = request.param
    return lambda files: MAKERS[kind](tmp_path / f"pets.{kind}", files)


def read(path: Path, columns: Said | None = None) -> tuple[list[Listing], list[Finding]]:
    with open_archive(path, columns=columns) as archive:
        return read_listed(archive, columns), archive.findings


def table(*rows: tuple[str, ...]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def objects(*rows: dict[str, object]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


METADATA = table(("file_name", "label"), ("0.png", "cat"), ("more/1.png", "dog"))
PETS = [Listing("0.png", "cat"), Listing("more/1.png", "dog")]


def test_metadata_among_the_images(make: Callable[[Files], Path]) -> None:
    path = make({"metadata.csv": METADATA, **empty("0.png", "more/1.png", "unlisted.png", "readme.txt")})
    listings, findings = read(path)
    assert listings == PETS
    assert [(finding.kind, finding.examples) for finding in findings] == [
        ("read", ()),
        ("ignored", ("'unlisted.png'",)),
    ]


def test_lines_of_json_do_the_same(make: Callable[[Files], Path]) -> None:
    rows = [{"file_name": "0.png", "label": 7, "box": [1, 2]}, {"file_name": "more/1.png", "label": 11, "box": []}]
    listings, _ = read(make({"pets/metadata.jsonl": objects(*rows), **empty("pets/0.png", "pets/more/1.png")}))
    assert listings == [Listing("pets/0.png", "7"), Listing("pets/more/1.png", "11")]


def test_the_folders_of_the_tables_are_the_splits(make: Callable[[Files], Path]) -> None:
    files = {f"{part}/metadata.csv": METADATA for part in ("train", "validation", "test")}
    files |= empty(*(f"{part}/{name}" for part in ("train", "validation", "test") for name in ("0.png", "more/1.png")))
    listings, _ = read(make(files))
    assert [(listing.image, listing.subset) for listing in listings][::2] == [
        ("test/0.png", "test"), ("train/0.png", "train"), ("validation/0.png", "val"),
    ]  # fmt: skip


PARTED = [(f"{part}/{i}.png", name) for part in ("train", "test") for i, name in enumerate(("cat", "dog"))]


def test_the_folders_of_the_files_are_the_splits(make: Callable[[Files], Path]) -> None:
    files = empty(*(image for image, _ in PARTED)) | {"metadata.csv": table(("file_name", "label"), *PARTED)}
    listings, findings = read(make(files))
    assert [(listing.image[:-6], listing.subset) for listing in listings] == [
        ("test", "test"), ("test", "test"), ("train", "train"), ("train", "train"),
    ]  # fmt: skip
    assert any(str(one).startswith("Images in the parts that the table gives (train 2, test 2)") for one in findings)


def test_a_table_without_labels_beside_one_with_them_is_named(make: Callable[[Files], Path]) -> None:
    files = {"train/metadata.csv": METADATA, "test/metadata.csv": table(("file_name",), ("0.png",))}
    listings, findings = read(make(files | empty("train/0.png", "train/more/1.png", "test/0.png")))
    assert [listing.image for listing in listings] == ["train/0.png", "train/more/1.png"]
    assert [finding.examples for finding in findings if finding.kind == "ignored"] == [
        ("'test/metadata.csv'",), ("'test/0.png'",),
    ]  # fmt: skip


def test_a_column_of_splits_counts_more_than_folders(tmp_path: Path) -> None:
    rows = [(image, name, "val" if image.startswith("train") else "train") for image, name in PARTED]
    files = empty(*(row[0] for row in rows)) | {"metadata.csv": table(("file_name", "label", "split"), *rows)}
    listings, _ = read(unpacked(tmp_path / "pets", files))
    assert [listing.subset for listing in listings] == ["train", "train", "val", "val"]


@pytest.mark.parametrize(
    ("splits", "subsets"),
    [
        (["", "", "test", "test"], ["train", "train", "test", "test"]),
        (["train", "train", "test", ""], ["train", "train", "test"]),
        (["test"] * 4, [""] * 4),
    ],
    ids=["what is none trains", "unless others do", "one part alone is none"],
)
def test_images_without_a_split_beside_such_with_one(tmp_path: Path, splits: list[str], subsets: list[str]) -> None:
    rows = [(f"{i}.png", "ab"[i % 2], split, f"g{i}") for i, split in enumerate(splits)]
    written = table(("path", "label", "split", "group"), *rows)
    unpacked(tmp_path, empty(*(row[0] for row in rows)) | {"list.csv": written})
    listings, _ = read(tmp_path / "list.csv")
    assert [(listing.subset, listing.group) for listing in listings] == [
        (subset, f"g{i}") for i, subset in enumerate(subsets)
    ]


def test_class_folders_count_where_the_metadata_names_no_label(make: Callable[[Files], Path]) -> None:
    rows = [(f"{name}/{i}.png", f"{name} {i % 2}") for name in ("cat", "dog") for i in range(4)]
    files = empty(*(name for name, _ in rows)) | {"metadata.csv": table(("file_name", "text"), *rows)}
    listings, findings = read(make(files))
    assert [listing.class_name for listing in listings] == ["cat"] * 4 + ["dog"] * 4
    assert any("Class folders taken for the labels" in finding.words for finding in findings)


def test_without_class_folders_the_label_is_known_by_what_it_is(make: Callable[[Files], Path]) -> None:
    rows = [(f"{i}.png", "ab"[i % 2]) for i in range(4)]
    files = empty(*(name for name, _ in rows)) | {"metadata.csv": table(("file_name", "text"), *rows)}
    assert [listing.class_name for listing in read(make(files))[0]] == ["a", "b", "a", "b"]


def test_the_only_table_of_an_archive_is_taken_whatever_it_is_called(make: Callable[[Files], Path]) -> None:
    rows = table(("id", "breed"), ("0", "cat"), ("1", "dog"))
    listings, _ = read(make({"labels.csv": rows, "readme.txt": b"", **empty("train/0.jpg", "train/1.jpg")}))
    assert listings == [Listing("train/0.jpg", "cat"), Listing("train/1.jpg", "dog")]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"0.png": b""}, "holds no table; call the one of files and labels metadata.csv, or give its own path"),
        ({"a.csv": b"", "b.csv": b""}, "holds 2 tables, such as 'a.csv', 'b.csv'"),
        ({"metadata.csv": METADATA}, "none of the 2 files that it lists is there, such as '0.png'"),
        ({"metadata.csv": table(("file_name", "label"), ("../../0.png", "a"), ("/0.png", "b")), "0.png": b""},
         "none of the 2 files"),
        ({"metadata.csv": METADATA.replace(b"dog", b"cat"), **empty("0.png", "more/1.png")}, "all images have"),
        (
            {
                "metadata.csv": METADATA, **empty("0.png", "more/1.png"),
                "more/metadata.csv": table(("file_name", "label"), ("1.png", "bird")),
            },
            "'more/1.png' has another label in another table",
        ),
        ({"metadata.csv": b"\x89PNG\0\xff"}, "metadata.csv in "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(make: Callable[[Files], Path], files: Files, words: str) -> None:
    with pytest.raises(UserError) as error:
        read(make(files))
    assert words in str(error.value)


def test_missing_files_are_named_and_the_owner_says_which_column_is_what(make: Callable[[Files], Path]) -> None:
    rows = table(("file_name", "label", "better"), ("0.png", "x", "a"), ("1.png", "x", "b"), ("gone.png", "x", "b"))
    listings, findings = read(make({"metadata.csv": rows, **empty("0.png", "1.png")}), {"label": "better"})
    assert [listing.class_name for listing in listings] == ["a", "b"]
    assert [finding.examples for finding in findings if finding.kind == "links"] == [("'gone.png'",)]


def test_the_index_holds_splits_groups_and_what_was_taken_for_what(tmp_path: Path) -> None:
    unpacked(tmp_path, empty("images/1.png", "images/2.png", "images/3.png"))
    text = "id;breed;set;patient\n1;cat ;train;p\n2;dog;train;\n3;dog;test;\n"
    (tmp_path / "list.csv").write_text(text, encoding="utf-16")
    build_index("csv", [tmp_path / "list.csv"], tmp_path / "out.csv", 1)
    assert read_index(tmp_path / "out.csv") == [
        Listing("images/1.png", "cat", "train", "p"), Listing("images/2.png", "dog", "train"),
        Listing("images/3.png", "dog", "test"),
    ]  # fmt: skip
    noticed = (tmp_path / "out.json").read_text()
    assert "'id' is the file, 'breed' is the label, 'set' is the split, 'patient' is the group; lines" in noticed
    opening = Opening(columns=Columns(split=None, group="set"))
    build_index("csv", [tmp_path / "list.csv"], tmp_path / "out.csv", 1, opening=opening)
    assert [(listing.subset, listing.group) for listing in read_index(tmp_path / "out.csv")] == [
        ("", "train"), ("", "train"), ("", "test"),
    ]  # fmt: skip


def test_a_table_of_links_that_lead_out_says_how_they_are_followed(tmp_path: Path) -> None:
    unpacked(tmp_path / "store", empty("1.png"))
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets/1.png").symlink_to(tmp_path / "store/1.png")
    (tmp_path / "pets/list.csv").write_bytes(table(("path", "label"), ("1.png", "cat")))
    with pytest.raises(UserError, match=r"(?s)none of the 1 files that it lists is there.*follow_links: true"):
        read(tmp_path / "pets/list.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(tmp_path_factory.mktemp("pets"), empty("0.png", "more/1.png", "é.png"))


@given(
    st.lists(st.lists(CELL | st.text(max_size=3), max_size=4), max_size=6),
    st.sampled_from(",;\t| "),
    st.sampled_from(["utf-8", "utf-16", "latin-1"]),
)
def test_any_table_becomes_an_index_or_is_refused_in_words(
    folder: Path, rows: list[list[str]], separator: str, encoding: str
) -> None:
    (folder / "list.csv").write_bytes("\n".join(map(separator.join, rows)).encode(encoding, "replace"))
    with suppress(UserError):
        build_index("csv", [folder / "list.csv"], folder / "out.csv", None)
        assert {listing.image for listing in read_index(folder / "out.csv")} <= {"0.png", "more/1.png", "é.png"}
