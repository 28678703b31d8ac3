"""What a folder of images holds, in one word: Snakemake sees a folder's own time, not what changes below it."""

from contextlib import suppress
from pathlib import Path

from freeze_or_tune.data.archives.base import is_hidden
from freeze_or_tune.data.archives.folders import walked
from freeze_or_tune.system.hashing import stable_digest


def fingerprint(folder: Path, *, follow_links: bool = False) -> str:
    """Digest the names and sizes of the files below a folder, unread: another if some come, go or are replaced.

    Any of them may be an image; hidden ones and folders that cannot be looked into count for nothing.
    """
    names, left_out = walked(folder, lambda _: None, follow_links=follow_links)
    found = {name: _size(folder / name) for name in names} | dict.fromkeys(left_out, -1)
    return stable_digest(*((name, size) for name, size in sorted(found.items()) if not is_hidden(name)))


def _size(path: Path) -> int:
    """Bytes of a file, -1 if it has just gone."""
    with suppress(OSError):
        return path.stat().st_size
    return -1
