"""How the files of a dataset are opened: all stages that read its images must agree on it."""

from pathlib import Path

from freeze_or_tune.data.archives import Archive, Paths, open_archives
from freeze_or_tune.study.opening import Opening


def open_images(paths: Paths, opening: Opening, scratch: Path | None = None) -> Archive:
    """Open the files of a dataset as its study says; see `open_archives`. UserError if they cannot be."""
    return open_archives(paths, scratch, follow_links=opening.follow_links, columns=opening.columns)
