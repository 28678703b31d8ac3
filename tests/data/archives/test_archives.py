import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freeze_or_tune.data.archives import open_archive
from freeze_or_tune.system.errors import UserError

from ..conftest import unpacked, zipped

FILES = {"b/two words.png": b"2", "a/é 猫.png": b"1", "top.txt": b"0"}


@pytest.mark.parametrize("make", [zipped, unpacked])
def test_names_are_sorted_and_read_back(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    with open_archive(make(tmp_path / "it", FILES)) as archive:
        assert archive.names() == ["a/é 猫.png", "b/two words.png", "top.txt"]
        assert {name: archive.read(name) for name in archive.names()} == FILES
        with pytest.raises(KeyError):
            archive.read("a/none.png")


def test_folders_are_not_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.mkdir("empty")
        file.writestr("full/x", b"")
    with open_archive(tmp_path / "a.zip") as archive:
        assert archive.names() == ["full/x"]


def test_missing_path(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.zip does not exist; give a folder"):
        open_archive(tmp_path / "none.zip")


def test_damaged_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x": b"1" * 1000})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserError, match=r"a\.zip is not a readable zip \(.*\); fetch or make it again$"):
        open_archive(path)


@pytest.mark.parametrize(("name", "content"), [("a.parquet", b"PAR1....PAR1"), ("a.7z", b"7z\xbc\xaf"), ("a", b"")])
def test_another_file_is_a_persons_own_and_stays(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name} is neither a folder, a zip, a tar nor a CSV; .* path and label$"):
        open_archive(tmp_path / name)


def test_a_zip_by_another_name_and_behind_other_bytes(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.bin", {"x": b"1"})
    with open_archive(path) as archive:
        assert archive.names() == ["x"]
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    with open_archive(path) as archive:
        assert archive.read("x") == b"1"


def test_damaged_file_in_a_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x": b"1" * 1000})
    path.write_bytes(path.read_bytes().replace(b"1" * 1000, b"1" * 999 + b"2"))
    with open_archive(path) as archive, pytest.raises(UserError, match=r"'x' in .*a\.zip cannot be read .*CRC"):
        archive.read("x")


def test_links_are_followed_to_files_inside_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret = unpacked(tmp_path / "elsewhere", {"secret.png": b"s"})
    root = unpacked(tmp_path / "root", {"a/1.png": b"1"})
    (root / "a" / "same.png").symlink_to(root / "a" / "1.png")
    (root / "a" / "out.png").symlink_to(secret / "secret.png")
    (root / "a" / "broken.png").symlink_to(root / "nothing")
    (root / "out").symlink_to(secret)
    (root / "a" / "loop").symlink_to(root)
    with open_archive(root) as archive:
        assert archive.names() == ["a/1.png", "a/same.png"]
        assert archive.read("a/same.png") == b"1"
        for name in ("a/out.png", "out/secret.png", "../elsewhere/secret.png", str(secret / "secret.png")):
            with pytest.raises(KeyError):
                archive.read(name)
    assert "left out 4 links" in caplog.text


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    unpacked(tmp_path / "real", {"a/1.png": b"1"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with open_archive(tmp_path / "link") as archive:
        assert archive.names() == ["a/1.png"]
        assert archive.read("a/1.png") == b"1"


@pytest.mark.parametrize("make", [zipped, unpacked])
def test_threads_may_read_at_once(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    files = {f"{i}.bin": os.urandom(2000) for i in range(200)}
    with open_archive(make(tmp_path / "it", files)) as archive, ThreadPoolExecutor(8) as pool:
        names = list(files) * 5
        assert list(pool.map(archive.read, names)) == [files[name] for name in names]


def test_backslashes_part_folders_in_a_zip_of_windows_only(tmp_path: Path) -> None:
    for system, names in ((0, ["cat/a b.png", "cat/it.png"]), (3, ["cat/it.png", "cat\\a b.png"])):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
            for name in ("cat\\a b.png", "cat/it.png", "..\\evil.png", *(["cat\\"] if system == 0 else [])):
                entry = zipfile.ZipInfo(name)
                entry.create_system = system
                file.writestr(entry, name)
        with open_archive(tmp_path / "a.zip") as archive:
            assert [name for name in archive.names() if "evil" not in name] == names
            assert archive.read(names[-1 if system else 0]) == b"cat\\a b.png"
            assert archive.left_out == (("..\\evil.png",) if system == 0 else ())
