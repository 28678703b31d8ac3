"""In which form images have come: the reader that fits, found by a look at their files."""

import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from freeze_or_tune.data.archives.base import is_hidden
from freeze_or_tune.data.archives.folders import walked
from freeze_or_tune.data.archives.samples import is_labelled, sample_of
from freeze_or_tune.data.decoding import HEIC, suffixes
from freeze_or_tune.data.tables.names import METADATA, SUFFIXES

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
LOOKED_AT = 100
"""Members of a tar that are looked at."""
HEADER = 1 << 16
"""Bytes of a table's first line that are looked at."""


def reader_of(path: Path, *, follow_links: bool = False) -> str:
    """The reader of a file or a folder; `folder` if nothing speaks for another."""
    if path.is_dir():
        return "csv" if _holds_table(path) else _of_folder(path, follow_links=follow_links)
    if path.suffix.lower() in SUFFIXES | {".txt"}:
        return "csv"
    if path.suffix.lower() == ".parquet":
        return "parquet"
    if zipfile.is_zipfile(path):
        return "csv" if _holds_table(path) else "folder"
    return "webdataset" if _holds_samples(path) else "folder"


def archives_in(folder: Path) -> list[Path]:
    """The zips and tars of a folder that holds nothing else that may be images, such as train.zip, test.zip."""
    names = [name for name in walked(folder, lambda _: None, follow_links=False)[0] if not is_hidden(name)]
    archives = [name for name in names if name.lower().endswith(_ARCHIVES)]
    others = {PurePosixPath(name).suffix.lower() for name in names} - {".md", ".txt", ".zip", ".tar", ".tgz", ".gz"}
    return [folder / name for name in archives] if not others else []


def _of_folder(folder: Path, *, follow_links: bool) -> str:
    names = [name for name in walked(folder, lambda _: None, follow_links=follow_links)[0] if not is_hidden(name)]
    if any(map(_is_image, names)):
        return "folder"  # what else lies there is beside the images
    if any(name.lower().endswith(".parquet") for name in names):
        return "parquet"
    tar = next(filter(_is_tar, names), None)
    return "webdataset" if tar and _holds_samples(folder / tar) else "folder"


def _holds_table(path: Path) -> bool:
    """Whether a table in a folder or zip, or in one of its folders, names files as `imagefolder` of the Hub does."""
    try:
        if path.is_dir():
            found = [one for name in METADATA for one in (path / name, *path.glob(f"*/{name}")) if one.is_file()]
            return any(_names_files(table.open("rb")) for table in found)
        with zipfile.ZipFile(path) as archive:
            names = (name for name in archive.namelist() if PurePosixPath(name).name in METADATA)
            return any(_names_files(archive.open(name)) for name in names if not is_hidden(name))
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        return False  # whoever reads it says what is wrong with it


def _names_files(table: IO[bytes]) -> bool:
    with table:
        return b"file_name" in table.readline(HEADER)


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in suffixes() | HEIC


def _is_tar(name: str) -> bool:
    return name.lower().endswith(_ARCHIVES[1:])


def _holds_samples(path: Path) -> bool:
    """Whether the first members of a tar are images with labels beside them, as WebDataset has it."""
    seen: dict[str, set[str]] = {}
    try:
        with tarfile.open(path, "r|*") as tar:
            for _, member in zip(range(LOOKED_AT), tar, strict=False):
                key, ending = sample_of(member.name)
                if not key or not member.isfile():
                    continue
                file = tar.extractfile(member) if ending == "json" else None
                beside = seen.setdefault(key, set())
                if ending == "cls" or (file is not None and is_labelled(file.read(1 << 20))):
                    beside.add("label")
                if _is_image(f"image.{ending}"):
                    beside.add("image")
                if len(beside) == 2:
                    return True
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error):
        return False  # whoever reads it says what is wrong with it
    return False
