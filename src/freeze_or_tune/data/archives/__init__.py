"""Zips, tars and folders read alike: images come straight from them, nothing is unpacked into files."""

import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from freeze_or_tune.data.archives.base import Archive, UnreadableFile
from freeze_or_tune.data.archives.folders import FileArchive, FolderArchive, read_file
from freeze_or_tune.data.archives.joined import JoinedArchive
from freeze_or_tune.data.archives.listed import ListedArchive
from freeze_or_tune.data.archives.tars import TarArchive, decompressed
from freeze_or_tune.data.archives.zips import ZipArchive
from freeze_or_tune.data.tables.names import SUFFIXES, Said
from freeze_or_tune.system.errors import UserError

__all__ = [
    "Archive", "ListedArchive", "Paths", "UnreadableFile", "open_archive", "open_archives", "read_file",
]  # fmt: skip

Paths = Path | Sequence[Path]
"""One archive, or several that are one dataset."""

_ZIPS = {".whl", ".zip"}
_SHEETS = {".ods", ".xls", ".xlsx"}

LISTS = {".csv", ".mat", ".txt"}
"""Suffixes of files that are no archives but belong to a dataset made of several files."""


def open_archives(
    paths: Paths,
    scratch: Path | None = None,
    *,
    follow_links: bool = False,
    rooted: bool = False,
    columns: Said | None = None,
) -> Archive:
    """Open one archive as it is, or several (and single lists) as one in which each is a folder; see open_archive.

    `rooted`: the names in a folder begin with its own, as in the archive that was unpacked to it.
    """
    paths = [paths] if isinstance(paths, Path) else paths
    if len(paths) == 1 and not (rooted and paths[0].is_dir()):
        return open_archive(paths[0], scratch, follow_links=follow_links, columns=columns)
    with ExitStack() as opened:
        joined = JoinedArchive([opened.enter_context(_open_any(path, scratch)) for path in paths])
        opened.pop_all()
    return joined


def open_archive(
    path: Path, scratch: Path | None = None, *, follow_links: bool = False, columns: Said | None = None
) -> Archive:
    """Open a folder, zip, tar, gzipped tar, or table of images; UserError if it does not exist or is damaged.

    A gzipped tar is decompressed into the folder `scratch` (or the system's) until it is closed. `follow_links`: also
    those that lead out of a folder, or out of a table's. `columns`: what is what in a table, if its owner says so.
    """
    if path.is_dir():
        return FolderArchive(path, follow_links=follow_links)
    if not path.exists():
        raise UserError(f"{path} does not exist; give a folder of images, or a zip or tar of one")
    if path.suffix.lower() in SUFFIXES | {".txt"}:
        return ListedArchive(path, follow_links=follow_links, columns=columns)
    if path.suffix.lower() in _SHEETS:
        raise UserError(f"{path} is a spreadsheet; save the sheet of files and labels as CSV, and give that")
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if head.startswith(b"\x1f\x8b"):
        return TarArchive(path, decompressed(path, scratch))
    # Tars older than POSIX have no such mark, and are known by their suffix.
    if head[257:262] == b"ustar" or path.suffix.lower() == ".tar":
        return TarArchive(path)
    if head.startswith(b"PK") or path.suffix.lower() in _ZIPS or zipfile.is_zipfile(path):
        return ZipArchive(path)
    raise UserError(
        f"{path} is neither a folder, a zip, a tar nor a CSV; give a folder with one folder of images a class, a zip "
        "or tar of one, or a CSV with the columns path and label"
    )


def _open_any(path: Path, scratch: Path | None) -> Archive:
    return FileArchive(path) if path.is_file() and path.suffix.lower() in LISTS else open_archive(path, scratch)
