"""How the files of a dataset are opened: all stages that read its images must agree on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from freeze_or_tune.data.archives import Archive, Paths, open_archives
from freeze_or_tune.data.layouts.forms import AUTO, reader_of

PARQUET = ("parquet", "sun397-parquet")


class Opening(TypedDict, total=False):
    """What a study says of it."""

    reader: str
    columns: Mapping[str, str | None]
    follow_links: bool
    rooted: bool


def open_images(
    paths: Paths,
    scratch: Path | None = None,
    *,
    reader: str = "",
    columns: Mapping[str, str | None] | None = None,
    follow_links: bool = False,
    rooted: bool = False,
) -> Archive:
    """Open archives for a reader, or as they are; see `open_archives`. UserError if they cannot be."""
    files = [paths] if isinstance(paths, Path) else list(paths)
    said = {what: name for what, name in (columns or {}).items() if name}
    reader = resolved(reader, files)
    if reader in PARQUET:
        from freeze_or_tune.data.archives.parquet import ParquetArchive  # noqa: PLC0415 (pyarrow takes a while)

        return ParquetArchive(files, said, follow_links=follow_links)
    if reader == "webdataset":
        from freeze_or_tune.data.archives.webdataset import WebDatasetArchive  # noqa: PLC0415

        return WebDatasetArchive(files, said, scratch, follow_links=follow_links)
    return open_archives(paths, scratch, follow_links=follow_links, rooted=rooted)


def resolved(reader: str, paths: Paths) -> str:
    """The reader of a dataset; found by its files if it is `auto`."""
    return reader_of(paths if isinstance(paths, Path) else paths[0]) if reader == AUTO else reader
