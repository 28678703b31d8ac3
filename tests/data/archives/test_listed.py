"""The files of a table on the disk: below its folder, below another, or behind links."""

import os
from pathlib import Path

import pytest

from freeze_or_tune.data.archives import ListedArchive, open_archive
from freeze_or_tune.system.errors import UserError

from ..conftest import unpacked

IMAGES = {"images/1.png": b"1", "images/2.png": b"2"}


def listed(table: Path, *lines: object, follow_links: bool = False) -> ListedArchive:
    table.parent.mkdir(exist_ok=True)
    table.write_text("\n".join(map(str, ("path,label", *lines))))
    archive = open_archive(table, follow_links=follow_links)
    assert isinstance(archive, ListedArchive)
    return archive


def read(archive: ListedArchive) -> dict[str, bytes]:
    return {name: archive.read(name) for name in archive.names()}


def test_absolute_paths_below_the_tables_folder_are_named_as_relative_ones(tmp_path: Path) -> None:
    unpacked(tmp_path, IMAGES)
    archive = listed(tmp_path / "t.csv", f"{tmp_path}/images/1.png,a", "images/2.png,b")
    assert (read(archive), archive.findings) == ({"images/1.png": b"1", "images/2.png": b"2"}, [])


def test_paths_below_another_folder_are_named_from_there_and_that_is_said(tmp_path: Path) -> None:
    unpacked(tmp_path / "far", IMAGES)
    for lines in (
        [f"{tmp_path}/far/images/1.png,a", f"{tmp_path}/far/images/2.png,b"],
        ["../far/images/1.png,a", "../far/images/2.png,b"],
    ):
        archive = listed(tmp_path / "tables/t.csv", *lines)
        assert read(archive) == {"1.png": b"1", "2.png": b"2"}
        assert [finding.words for finding in archive.findings] == [
            f"Files that {tmp_path}/tables/t.csv lists below {tmp_path}/far/images, not below its own folder"
        ]


def test_files_of_two_folders_are_named_from_the_one_above(tmp_path: Path) -> None:
    unpacked(tmp_path, {"far/1.png": b"1", "tables/2.png": b"2"})
    assert read(listed(tmp_path / "tables/t.csv", "../far/1.png,a", "2.png,b")) == {
        "far/1.png": b"1", "tables/2.png": b"2",
    }  # fmt: skip


def test_files_without_a_common_folder_are_refused(tmp_path: Path) -> None:
    unpacked(tmp_path, {"1.png": b"1"})
    with pytest.raises(UserError, match=r"its files lie in no common folder, but in /[a-z/]+ and in"):
        listed(tmp_path / "t.csv", "1.png,a", "/etc/passwd,b")


def test_links_that_lead_out_are_left_out_unless_followed(tmp_path: Path) -> None:
    unpacked(tmp_path / "store", {"1.png": b"1"})
    unpacked(tmp_path / "pets", {"2.png": b"2"})
    (tmp_path / "pets/1.png").symlink_to(tmp_path / "store/1.png")
    (tmp_path / "pets/3.png").symlink_to("2.png")
    (tmp_path / "pets/broken.png").symlink_to("nowhere")
    lines = ["1.png,a", "2.png,b", "3.png,b", "broken.png,a", "gone.png,a"]
    archive = listed(tmp_path / "pets/t.csv", *lines)
    assert read(archive) == {"2.png": b"2", "3.png": b"2"}
    assert archive.left_out == ("1.png", "broken.png", "gone.png")
    archive = listed(tmp_path / "pets/t.csv", *lines, follow_links=True)
    assert read(archive) == {"1.png": b"1", "2.png": b"2", "3.png": b"2"}
    assert archive.left_out == ("broken.png", "gone.png")


def test_nothing_else_in_the_folder_is_read(tmp_path: Path) -> None:
    unpacked(tmp_path, IMAGES | {"secret.png": b""})
    with listed(tmp_path / "t.csv", "images/1.png,a") as archive:
        assert archive.names() == ["images/1.png"]


@pytest.mark.parametrize("name", ["t.csv", "t.TSV", "t.txt", "t.jsonl", "t.ndjson"])
def test_tables_are_known_by_their_suffix_and_read_by_what_they_hold(tmp_path: Path, name: str) -> None:
    unpacked(tmp_path, IMAGES)
    objects = '{"path": "images/1.png", "label": "a"}\n{"path": "images/2.png", "label": "b"}\n'
    for text in ("path\tlabel\nimages/1.png\ta\nimages/2.png\tb\n", objects):
        (tmp_path / name).write_text(text)
        archive = open_archive(tmp_path / name)
        assert isinstance(archive, ListedArchive)
        assert {path: entry.label for path, entry in archive.entries.items()} == {
            "images/1.png": "a",
            "images/2.png": "b",
        }


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    odd = b"\xff.png".decode("utf-8", "surrogateescape")
    unpacked(tmp_path, {odd: b"1"})
    (tmp_path / "t.csv").write_bytes(b"path,label\n\xff.png,a\n")
    archive = open_archive(tmp_path / "t.csv")
    assert archive.names() == [odd]


@pytest.mark.parametrize("suffix", ["xlsx", "XLS", "ods"])
def test_a_spreadsheet_is_to_be_saved_as_csv(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"t.{suffix}").write_bytes(b"PK")
    with pytest.raises(UserError, match=rf"t\.{suffix} is a spreadsheet; save the sheet of files and labels as CSV"):
        open_archive(tmp_path / f"t.{suffix}")


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    os.symlink("t.csv", tmp_path / "t.csv")  # noqa: PTH211 - a circle
    with pytest.raises(UserError, match=r"t\.csv does not exist|cannot read .*t\.csv"):
        open_archive(tmp_path / "t.csv")
