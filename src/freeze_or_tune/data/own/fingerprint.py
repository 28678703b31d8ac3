"""What a folder of images holds, in one word: Snakemake sees a folder's own time, not what changes below it."""

import os
from pathlib import Path

from freeze_or_tune.data.layouts.listing import is_hidden
from freeze_or_tune.system.hashing import stable_digest


def fingerprint(folder: Path) -> str:
    """Digest names and sizes of the files below a folder, unread: another if some come, go or are replaced."""
    found = []
    for here, _, files in os.walk(folder):
        inside = Path(here).relative_to(folder)
        for name in ((inside / file).as_posix() for file in files):
            if not is_hidden(name):
                found.append((name, (folder / name).lstat().st_size))
    return stable_digest(*sorted(found))
