import os
from collections.abc import Callable
from pathlib import Path

import pytest

from freeze_or_tune.data.fingerprint import fingerprint

ODD = os.fsdecode(b"owl \xe9\n.png")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name in ("owl/a.png", f"owl/{ODD}", "robin/deep/b.JPG"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"12")
    return folder


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "owl/new.png").touch(),
        lambda folder: (folder / "robin/deep/b.JPG").unlink(),
        lambda folder: (folder / "owl/a.png").rename(folder / "robin/a.png"),
        lambda folder: (folder / "owl/a.png").write_bytes(b"123"),
        lambda folder: (folder / "owl/gone.png").symlink_to("nowhere"),
        lambda folder: (folder / "owl/may be an image").touch(),
    ],
)
def test_it_changes_with_the_images(photos: Path, change: Callable[[Path], object]) -> None:
    before = fingerprint(photos)
    change(photos)
    assert fingerprint(photos) != before


def test_it_is_of_the_images_alone_wherever_they_lie(photos: Path, tmp_path: Path) -> None:
    before = fingerprint(photos)
    for name in ("owl/Thumbs.db", "owl/.DS_Store", ".thumbnails.png"):
        (photos / name).touch()
    os.utime(photos / "owl/a.png", (0, 0))
    assert fingerprint(photos.rename(tmp_path / "moved")) == before


def test_it_changes_with_a_label_in_a_table_of_the_same_size(photos: Path) -> None:
    table = photos / "metadata.csv"
    table.write_text("file_name,label\na.png,cat\n")
    before = fingerprint(photos)
    table.write_text("file_name,label\na.png,dog\n")
    os.utime(table, (0, 0))
    assert fingerprint(photos) != before


def test_it_follows_links_only_if_they_are_read(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (photos / "wren").symlink_to(tmp_path / "shared")
    before, followed = fingerprint(photos), fingerprint(photos, follow_links=True)
    (tmp_path / "shared/c.png").write_bytes(b"1")
    assert fingerprint(photos) == before
    assert fingerprint(photos, follow_links=True) != followed


def test_what_is_no_folder_has_one_of_its_own_time(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(b"1")
    assert fingerprint(tmp_path / "photos.zip") == fingerprint(tmp_path / "nowhere")
