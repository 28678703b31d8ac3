"""What is a picture: by what is in it, whatever it is called."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from freeze_or_tune.data import decoding
from freeze_or_tune.data.archives import Archive, open_archive, open_archives
from freeze_or_tune.data.layouts import around, read_folder
from freeze_or_tune.data.layouts.listing import images_of, is_hidden, pictures_of
from freeze_or_tune.system.errors import UserError

from ..conftest import encoded, plain, tarred, unpacked, zipped


def written(kind: str, size: tuple[int, int] = (9, 5)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, kind)
    return buffer.getvalue()


def found(path: Path, files: Mapping[str, bytes]) -> list[str]:
    with open_archive(unpacked(path / "all", files)) as archive:
        return pictures_of(archive)


@pytest.mark.parametrize(
    ("kind", "suffixes"),
    [
        ("JPEG", (".jpg", ".jfif", ".jpe", ".JPEG")), ("PNG", (".png", ".apng")), ("AVIF", (".avif",)),
        ("WEBP", (".webp",)), ("TIFF", (".tif", ".TIFF")), ("GIF", (".gif",)), ("BMP", (".bmp",)),
        ("PPM", (".ppm", ".pnm")), ("HEIF", (".heic", ".heif", ".hif")),
    ],
)  # fmt: skip
def test_each_format_by_its_usual_names_a_wrong_one_and_none(
    tmp_path: Path, kind: str, suffixes: tuple[str, ...]
) -> None:
    names = [*(f"usual{suffix}" for suffix in suffixes), "none", "wrong.jpg"]
    names += [] if kind == "TIFF" else ["wrong.txt", "odd.name.2024"]
    data = written(kind)
    assert found(tmp_path, dict.fromkeys(names, data)) == sorted(names)
    assert decoding.decode(data, 4).shape == (4, 4, 3)


def test_what_only_begins_like_a_picture_is_none(tmp_path: Path) -> None:
    others = {
        "notes.txt": b"Python is not a PPM", "BMW.md": b"BMW and others", "P5": b"P5 is our room", "empty": b"",
        "a.pdf": b"%PDF-1.7 ...", "a.svg": b"<svg></svg>", "a.psd": b"8BPS\0\1", "a.eps": b"%!PS-Adobe-3.0 EPSF-3.0",
        "cut": b"\xff\xd8\xff", "cut2": plain(1)[:12], "raw.nef": written("TIFF"), "raw.DNG": written("TIFF"),
        "a.webm": b"RIFF0000WEBPgarbage", "a.tfw": b"II*\0\xff\xff\xff\xff", "gif": b"GIF89a",
    }  # fmt: skip
    assert found(tmp_path, others | {"a.png": b""}) == ["a.png"]  # of which the store will say that it is torn


def test_a_bomb_by_another_name_is_a_picture_for_the_store_to_refuse(tmp_path: Path) -> None:
    assert found(tmp_path, {"bomb.txt": b"P5 60000 60000 255\n"}) == ["bomb.txt"]


@pytest.mark.parametrize("name", ["Thumbs.db", "Desktop.ini", "__MACOSX/._1.png", "@eaDir/1.png/SMALL.jpg", ".x/1.png"])
def test_what_systems_leave_is_hidden(name: str) -> None:
    assert is_hidden(f"cat/{name}")


def test_names_of_pictures_are_enough_and_only_others_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    with open_archive(
        unpacked(tmp_path / "a", {"1.jfif": b"", "2.PNG": b"", "3": written("PNG"), ".4": b""})
    ) as archive:
        monkeypatch.setattr(archive, "read", lambda name: pytest.fail("read whole"))
        real = archive.open
        monkeypatch.setattr(archive, "open", lambda name: opened.append(name) or real(name))  # type: ignore[func-returns-value]
        assert pictures_of(archive) == ["1.jfif", "2.PNG", "3"]
    assert opened == ["3"]


@pytest.mark.parametrize("make", [unpacked, zipped, tarred])
def test_archives_of_all_kinds_show_the_same(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    files = {"a/cat": written("WEBP"), "a/dog.dat": written("JPEG"), "a/x.txt": b"x" * 9000}
    with open_archive(make(tmp_path / "it", files)) as archive:
        assert pictures_of(archive) == ["a/cat", "a/dog.dat"]
        for name, data in files.items():
            with archive.open(name) as file:
                assert file.read(5) == data[:5]
                assert file.seek(2) == 2
                assert file.read() == data[2:]
            with pytest.raises(KeyError):
                archive.open("a/none")


def test_several_archives_show_the_same(tmp_path: Path) -> None:
    paths = [zipped(tmp_path / "1.zip", {"cat": written("GIF")}), tarred(tmp_path / "2.tar", {"dog": written("PNG")})]
    with open_archives(paths) as archive:
        assert pictures_of(archive) == ["1/cat", "2/dog"]


def test_a_picture_in_a_tar_within_a_tar(tmp_path: Path) -> None:
    inner = tarred(tmp_path / "inner.tar", {"cat": written("PNG")}).read_bytes()
    with open_archive(tarred(tmp_path / "outer.tar", {"in.tar": inner}, tarfile.USTAR_FORMAT)) as archive:
        assert pictures_of(archive) == ["in/cat"]


def test_readers_of_the_papers_datasets_go_by_names(tmp_path: Path) -> None:
    with open_archive(unpacked(tmp_path, {"a": written("PNG"), "b.jfif": written("JPEG"), "c.png": b""})) as archive:
        assert images_of(archive) == ["c.png"]


@pytest.fixture
def without_heif(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """As where nobody has installed pillow-heif."""
    monkeypatch.setattr(decoding, "FORMATS", tuple(kind for kind in decoding.FORMATS if kind != "HEIF"))
    decoding.suffixes.cache_clear()
    yield
    decoding.suffixes.cache_clear()


def phone(archive: Archive) -> list[str]:
    return [str(one) for one in around(archive, pictures_of(archive))]


def test_heic_is_left_out_with_what_would_read_it(tmp_path: Path, without_heif: None) -> None:
    heic = written("HEIF")
    with open_archive(unpacked(tmp_path / "a", {"1.HEIC": heic, "2.hif": heic, "3.png": plain(1), "x.txt": b"x"})) as a:
        assert pictures_of(a) == ["3.png"]
        assert phone(a) == [
            "Files that are no images; they are ignored: 1, such as 'x.txt'",
            "Images in HEIC, which are left out (pip install 'freeze-or-tune[heif]' reads HEIC): 2, such as '1.HEIC', "
            "'2.hif'",
        ]
    with (
        open_archive(unpacked(tmp_path / "b", {"cat/1.heic": heic, "dog/1.heic": heic})) as b,
        pytest.raises(UserError, match=r"holds no images; .*\n  Images in HEIC, .*freeze-or-tune\[heif\]"),
    ):
        read_folder(b)
    with pytest.raises(decoding.UnreadableImage, match=r"not an image of a known format .*freeze-or-tune\[heif\]"):
        decoding.decode(heic, 4)


def test_heic_is_read_where_the_plugin_is(tmp_path: Path) -> None:
    assert decoding.suffixes() >= decoding.HEIC
    pixels = np.full((16, 16, 3), 200, np.uint8)
    assert abs(decoding.decode(encoded(pixels, "HEIF"), 4).astype(int) - 200).max() < 8
