"""What a folder of images holds, in one word: Snakemake sees a folder's own time, not what changes below it."""

from pathlib import Path

from freeze_or_tune.data.archives.folders import walked
from freeze_or_tune.data.layouts.listing import is_hidden
from freeze_or_tune.study.datasets import TABLES
from freeze_or_tune.system.hashing import stable_digest


def fingerprint(folder: Path, *, follow_links: bool = False) -> str:
    """Digest the names and sizes of the files below a folder, unread: another if some come, go or are replaced.

    Any of them may be an image; hidden ones and folders that cannot be looked into count for nothing.
    """
    names, left_out = walked(folder, lambda _: None, follow_links=follow_links)
    sizes = [(name, _state(folder / name)) for name in names if not is_hidden(name)]
    return stable_digest(*sorted(sizes + [(name, "left out") for name in left_out if not is_hidden(name)]))


def _state(path: Path) -> str:
    """A file's size; of a table its time, too: another label may be as long as the one before."""
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}" if path.suffix.lower() in TABLES - {".txt"} else f"{status.st_size}"
