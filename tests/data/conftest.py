"""Small images and archives, and the real ELPV wheel."""

import io
import os
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from freeze_or_tune.data.archives import open_archives
from freeze_or_tune.data.downloads.catalogue import read_downloads
from freeze_or_tune.data.downloads.fetching import fetch
from freeze_or_tune.data.layouts import READERS, Listing
from freeze_or_tune.system.errors import UserError

DOWNLOADS = Path(__file__).parents[2] / "config" / "downloads.csv"


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """Encode pixels without loss (unless `kind` is lossy)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def plain(value: int, side: int = 8) -> bytes:
    """Encode a grey square of one value."""
    return encoded(np.full((side, side), value, np.uint8))


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write files to a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: Mapping[str, bytes], style: int = tarfile.PAX_FORMAT) -> Path:
    """Write files to a tar."""
    with tarfile.open(path, "w", format=style) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def unpacked(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write files to a folder."""
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


@pytest.fixture(scope="session")
def elpv(pytestconfig: pytest.Config) -> Path:
    """Return the real wheel, downloaded once and kept in pytest's cache."""
    download = read_downloads(DOWNLOADS)["elpv"][0]
    folder = Path(pytestconfig.cache.mkdir("downloads"))
    path = folder / download.file
    try:
        fetch(download, path, folder / "manual" / download.file)
    except UserError as error:
        if os.environ.get("REQUIRE_ALL_TESTS") == "1":
            pytest.fail(f"the ELPV wheel is needed: {error}")
        pytest.skip(f"the ELPV wheel cannot be downloaded here: {error}")
    return path


def read(reader: str, *paths: Path) -> list[Listing]:
    """List the images of archives by a dataset's reader."""
    with open_archives(paths) as archive:
        listings = READERS[reader](archive)
        names = set(archive.names())
    # What is listed is there: a point's photo, or the image itself.
    assert {listing.image.split("@")[0] for listing in listings} <= names
    assert len({listing.image for listing in listings}) == len(listings)
    return listings


def empty(*names: str) -> dict[str, bytes]:
    """Make files without content."""
    return dict.fromkeys(names, b"")
