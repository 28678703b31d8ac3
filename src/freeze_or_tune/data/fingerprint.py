"""What a folder of images holds, in one word: Snakemake sees a folder's own time, not what changes below it."""

from collections.abc import Mapping
from pathlib import Path

from freeze_or_tune.data.archives.base import is_hidden
from freeze_or_tune.data.archives.folders import walked
from freeze_or_tune.data.downloads.whole import read_record, record_of
from freeze_or_tune.records.findings import Source
from freeze_or_tune.system.hashing import digest_of, stable_digest


def fingerprint(folder: Path, *, follow_links: bool = False) -> str:
    """Digest the names and sizes of the files below a folder, unread: another if some come, go or are replaced.

    Any of them may be an image; hidden ones and folders that cannot be looked into count for nothing.
    """
    names, left_out = walked(folder, lambda _: None, follow_links=follow_links)
    sizes = [(name, (folder / name).stat().st_size) for name in names if not is_hidden(name)]
    return stable_digest(*sorted(sizes + [(name, -1) for name in left_out if not is_hidden(name)]))


def source_of(path: Path, known: Mapping[str, str], *, follow_links: bool = False) -> Source:
    """A file with its digest, which need not be computed if it was when the file was fetched, or a folder with its own.

    `known` are those of the table of downloads, by the names of files.
    """
    if path.is_dir():
        return Source(path=str(path), digest=f"names:{fingerprint(path, follow_links=follow_links)}")
    recorded = read_record(record_of(path, "sha256"), "sha256")
    return Source(path=str(path), digest=known.get(path.name) or f"sha256:{recorded or digest_of(path)}")
