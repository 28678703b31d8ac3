"""What a folder of images holds, in one word: Snakemake sees a folder's own time, not what changes below it."""

from contextlib import suppress
from pathlib import Path

from freeze_or_tune.data.archives.base import is_hidden
from freeze_or_tune.data.archives.folders import walked
from freeze_or_tune.data.tables.names import SUFFIXES
from freeze_or_tune.system.hashing import stable_digest


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
