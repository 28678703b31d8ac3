"""What a folder of images holds, in one word: Snakemake sees a folder's own time, not what changes below it."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from freeze_or_tune.data.archives.base import is_hidden
from freeze_or_tune.data.archives.folders import walked
from freeze_or_tune.data.downloads.whole import read_record, record_of
from freeze_or_tune.data.tables.names import SUFFIXES
from freeze_or_tune.records.findings import Source
from freeze_or_tune.system.hashing import digest_of, stable_digest


def fingerprint(folder: Path, *, follow_links: bool = False) -> str:
    """Digest the names and sizes of the files below a folder, unread: another if some come, go or are replaced.

    Any of them may be an image; hidden ones and folders that cannot be looked into count for nothing.
    """
    names, left_out = walked(folder, lambda _: None, follow_links=follow_links)
    found = {name: _state(folder / name) for name in names} | dict.fromkeys(left_out, "")
    return stable_digest(*((name, state) for name, state in sorted(found.items()) if not is_hidden(name)))


def _state(path: Path) -> str:
    """Bytes of a file, none if it has just gone; of a table its time, too: another label may be as long."""
    with suppress(OSError):
        status = path.stat()
        return f"{status.st_size} {status.st_mtime_ns if path.suffix.lower() in SUFFIXES else ''}"
    return ""


def source_of(path: Path, known: Mapping[str, str], *, follow_links: bool = False) -> Source:
    """A file with its digest, which need not be computed if it was when the file was fetched, or a folder with its own.

    `known` are those of the table of downloads, by the names of files.
    """
    if path.is_dir():
        return Source(path=str(path), digest=f"names:{fingerprint(path, follow_links=follow_links)}")
    recorded = read_record(record_of(path, "sha256"), "sha256")
    return Source(path=str(path), digest=known.get(path.name) or f"sha256:{recorded or digest_of(path)}")
