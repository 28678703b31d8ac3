"""What a folder of images holds, in one word: Snakemake sees a folder's own time, not what changes below it."""

import os
from collections.abc import Mapping
from pathlib import Path

from freeze_or_tune.data.downloads.whole import read_record, record_of
from freeze_or_tune.data.layouts.listing import is_hidden
from freeze_or_tune.records.findings import Source
from freeze_or_tune.system.hashing import digest_of, stable_digest


def fingerprint(folder: Path) -> str:
    """Digest the names and sizes of what is below a folder and not hidden: another if some come, go or are replaced."""
    found = []
    for here, _, files in os.walk(folder):
        inside = Path(here).relative_to(folder)
        for name in ((inside / file).as_posix() for file in files):
            if not is_hidden(name):
                found.append((name, (folder / name).lstat().st_size))
    return stable_digest(*sorted(found))


def source_of(path: Path, known: Mapping[str, str]) -> Source:
    """A file with its digest, which need not be computed if it was when the file was fetched, or a folder with its own.

    `known` are those of the table of downloads, by the names of files.
    """
    if path.is_dir():
        return Source(path=str(path), digest=f"names:{fingerprint(path)}")
    recorded = read_record(record_of(path, "sha256"), "sha256")
    return Source(path=str(path), digest=known.get(path.name) or f"sha256:{recorded or digest_of(path)}")
