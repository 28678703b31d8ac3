"""Which reader a file or a folder gets, by a look at it."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from freeze_or_tune.data.layouts import read_folder
from freeze_or_tune.data.layouts.forms import archives_in, reader_of
from freeze_or_tune.data.opening import open_images
from freeze_or_tune.study.opening import Opening

from ..conftest import empty, plain, tarred, unpacked, zipped

LABELLED = json.dumps({"label": 1}).encode()
FOLDERS: dict[str, tuple[Mapping[str, bytes], str]] = {
    "class folders": (empty("a/1.jpg", "b/2.png"), "folder"),
    "class folders beside a parquet": (empty("a/1.jpg", "b/2.png", "table.parquet"), "folder"),
    "the Hub's": (empty("README.md", "data/train-00000-of-00001.parquet", ".cache/x.png"), "parquet"),
    "the Hub's own conversion": (empty("default/train/0000.parquet"), "parquet"),
    "a table of its files": ({"metadata.csv": b"file_name,label\n", "1.jpg": b""}, "csv"),
    "a table in each part": ({"train/metadata.jsonl": b'{"file_name": "1.jpg"}', "train/1.jpg": b""}, "csv"),
    "a table of something else": ({"a/metadata.csv": b"camera,place\n", "a/1.jpg": b""}, "folder"),
    "another table": ({"notes.csv": b"file_name,label\n", "a/1.jpg": b""}, "folder"),
    "nothing": ({}, "folder"),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_folders(tmp_path: Path, kind: str) -> None:
    files, reader = FOLDERS[kind]
    assert reader_of(unpacked(tmp_path, files)) == reader


@pytest.mark.parametrize("kind", [kind for kind in FOLDERS if "table" in kind])
def test_zips(tmp_path: Path, kind: str) -> None:
    files, reader = FOLDERS[kind]
    path = zipped(tmp_path / "a.zip", files)
    assert reader_of(path) == reader
    path.write_bytes(path.read_bytes().replace(b"file_name", b"file name", 1))  # its checksum is wrong
    assert reader_of(path) == "folder"


TARS: dict[str, tuple[Mapping[str, bytes], str]] = {
    "labels": ({"0.jpg": b"", "0.cls": b"1"}, "webdataset"),
    "labels first, in folders": ({"a/0.cls": b"1", "a/0.JPG": b""}, "webdataset"),
    "labels in .json": ({"0.jpg": b"", "0.json": LABELLED}, "webdataset"),
    "class folders": ({"a/0.jpg": b"", "b/0.jpg": b""}, "folder"),
    "what was drawn on pictures in class folders": ({"a/0.jpg": b"", "a/0.json": b'{"shapes": []}'}, "folder"),
    "a list of labels": ({"a/0.jpg": b"", "labels.json": LABELLED}, "folder"),
    "nothing": ({}, "folder"),
}


@pytest.mark.parametrize("kind", TARS)
def test_tars(tmp_path: Path, kind: str) -> None:
    files, reader = TARS[kind]
    tar = tarred(tmp_path / "some.tar", files)
    packed = tmp_path / "folder/0.tar.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(tar.read_bytes()))
    assert {reader_of(tar), reader_of(packed), reader_of(packed.parent)} == {reader}


def test_a_folder_of_zips_is_read_as_if_they_were_unpacked(tmp_path: Path) -> None:
    for part, number in {"train": 0, "test": 2}.items():
        zipped(tmp_path / f"{part}.zip", {f"{part}/a/1.png": plain(number), f"{part}/b/2.png": plain(number + 1)})
    (tmp_path / "README.md").touch()
    assert archives_in(tmp_path) == [tmp_path / "test.zip", tmp_path / "train.zip"]
    with open_images(tmp_path, Opening(reader="auto")) as archive:
        listed = {(one.class_name, one.subset, archive.read(one.image)) for one in read_folder(archive)}
    assert listed == {
        ("a", "train", plain(0)),
        ("b", "train", plain(1)),
        ("a", "test", plain(2)),
        ("b", "test", plain(3)),
    }
    (tmp_path / "a.png").touch()
    assert archives_in(tmp_path) == []


def test_other_files(tmp_path: Path) -> None:
    assert reader_of(zipped(tmp_path / "a.zip", {"a/1.png": plain(1)})) == "folder"
    for name, reader in {
        "a.PARQUET": "parquet",
        "a.csv": "csv",
        "a.TSV": "csv",
        "a.jsonl": "csv",
        "a.txt": "csv",
        "a.tar": "folder",
        "a": "folder",
    }.items():
        (tmp_path / name).write_bytes(b"\x1f\x8b damaged")
        assert reader_of(tmp_path / name) == reader
