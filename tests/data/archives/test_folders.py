"""Folders and the links in them."""

import os
from pathlib import Path

import pytest

from freeze_or_tune.data.archives import ListedArchive, UnreadableFile, open_archive
from freeze_or_tune.system.errors import UserError

from ..conftest import unpacked


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A folder of links to files and folders elsewhere, within, above and nowhere."""
    unpacked(tmp_path / "shared", {"cats/1.png": b"1", "cats/more/2.png": b"22", "dog.png": b"3"})
    folder = unpacked(tmp_path / "photos", {"dog/own.png": b"4"})
    for name, target in {
        "cat": tmp_path / "shared/cats", "dog/0.png": tmp_path / "shared/dog.png", "dog/again.png": "own.png",
        "dog/up": "..", "dog/all": tmp_path, "gone.png": "nowhere", "round.png": "round.png", "dogs": "dog",
    }.items():  # fmt: skip
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.png")
    return folder


def test_links_out_of_a_folder_and_to_folders_are_left_out(linked: Path) -> None:
    with open_archive(linked) as archive:
        assert archive.names() == ["dog/again.png", "dog/own.png"]
        assert archive.left_out == (
            "cat", "dog/0.png", "dog/all", "dog/up", "dogs", "gone.png", "pipe.png", "round.png"
        )  # fmt: skip
        for name in ("dog/0.png", "cat/1.png", "../shared/dog.png", "/etc/passwd"):
            for use in (archive.read, archive.open):
                with pytest.raises(KeyError):
                    use(name)


def test_links_are_followed_anywhere_but_not_in_circles(linked: Path) -> None:
    with open_archive(linked, follow_links=True) as archive:
        names = archive.names()
        assert {name: archive.read(name) for name in names if "all/" not in name} == {
            "cat/1.png": b"1", "cat/more/2.png": b"22", "dog/0.png": b"3", "dog/again.png": b"4", "dog/own.png": b"4",
            "dogs/0.png": b"3", "dogs/again.png": b"4", "dogs/own.png": b"4",
        }  # fmt: skip
        assert {name for name in names if name.startswith("dog/all/")} == {
            "dog/all/shared/cats/1.png", "dog/all/shared/cats/more/2.png", "dog/all/shared/dog.png"
        }  # fmt: skip
        assert {"dog/up", "dogs/up", "dog/all/photos", "gone.png", "round.png", "pipe.png"} <= set(archive.left_out)
        assert len(set(names)) == len(names)
        for name in ("../shared/dog.png", "/etc/passwd", "gone.png"):
            with pytest.raises(KeyError):
                archive.read(name)


def test_two_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "photos", {"a/1.png": b"", "b/2.png": b""})
    (folder / "a/b").symlink_to(folder / "b")
    (folder / "b/a").symlink_to(folder / "a")
    with open_archive(folder, follow_links=True) as archive:
        assert archive.names() == ["a/1.png", "a/b/2.png", "b/2.png", "b/a/1.png"]
        assert archive.left_out == ("a/b/a", "b/a/b")


def test_a_thicket_of_links_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freeze_or_tune.data.archives.base.MOST_FILES", 1000)
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
        for other in "abcdefgh":
            (tmp_path / name / other).symlink_to(tmp_path / other)
    with (
        open_archive(tmp_path, follow_links=True) as archive,
        pytest.raises(UserError, match="lists more than 1000 files"),
    ):
        archive.names()


def test_a_listed_file_may_be_a_link_if_those_are_followed(tmp_path: Path) -> None:
    unpacked(tmp_path, {"shared/1.png": b"1", "here/list.csv": b"path,label\n1.png,cat\n2.png,dog\n"})
    (tmp_path / "here/1.png").symlink_to(tmp_path / "shared/1.png")
    for follow, there in ((False, []), (True, ["1.png"])):
        with open_archive(tmp_path / "here/list.csv", follow_links=follow) as archive:
            assert isinstance(archive, ListedArchive)
            assert archive.names() == there
            assert archive.left_out == tuple(sorted({"1.png", "2.png"}.difference(there)))


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    with (tmp_path / "film").open("wb") as file:
        file.truncate((1 << 28) + 1)
    with open_archive(tmp_path) as archive, pytest.raises(UserError, match="268435457 bytes, more than"):
        archive.open("film")


def test_a_file_without_permission_is_a_matter_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    unpacked(tmp_path, {"1.png": b"1"})
    monkeypatch.setattr(Path, "open", refuse)
    with open_archive(tmp_path) as archive, pytest.raises(UnreadableFile, match="Permission denied"):
        archive.open("1.png")
