"""What a folder of images holds, in one word: Snakemake sees a folder's own time, not what changes below it."""

from pathlib import Path

from freeze_or_tune.data.archives.folders import walked
from freeze_or_tune.data.layouts.listing import is_hidden
from freeze_or_tune.system.hashing import stable_digest


def fingerprint(folder: Path, *, follow_links: bool = False) -> str:
    """Digest the names and sizes of the files below a folder, unread: another if some come, go or are replaced.

    Any of them may be an image; hidden ones and folders that cannot be looked into count for nothing.
    """
    names, left_out = walked(folder, lambda _: None, follow_links=follow_links)
    sizes = [(name, (folder / name).stat().st_size) for name in names if not is_hidden(name)]
    return stable_digest(*sorted(sizes + [(name, -1) for name in left_out if not is_hidden(name)]))
