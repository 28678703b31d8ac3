"""How the files of a dataset are opened: all stages that read its images must agree on it."""

from pathlib import Path

from freeze_or_tune.data.archives import Archive, Paths, open_archives
from freeze_or_tune.data.layouts.forms import archives_in, reader_of
from freeze_or_tune.study.opening import Opening


def open_images(paths: Paths, opening: Opening, scratch: Path | None = None) -> Archive:
    """Open the files of a dataset as its study says; see `open_archives`. UserError if they cannot be."""
    files = [paths] if isinstance(paths, Path) else list(paths)
    reader = resolved(opening.reader, files, opening)
    said = opening.columns.model_dump(exclude_unset=True)
    if reader == "parquet":
        from freeze_or_tune.data.archives.parquet import ParquetArchive  # noqa: PLC0415 (pyarrow takes a while)

        return ParquetArchive(files, said, follow_links=opening.follow_links)
    if reader == "webdataset":
        from freeze_or_tune.data.archives.webdataset import WebDatasetArchive  # noqa: PLC0415

        return WebDatasetArchive(files, said, scratch, follow_links=opening.follow_links)
    packed = archives_in(files[0]) if opening.reader == "auto" and reader == "folder" and files[0].is_dir() else []
    return open_archives(
        packed or paths, scratch, follow_links=opening.follow_links, rooted=opening.rooted, columns=opening.said
    )


def resolved(reader: str, paths: Paths, opening: Opening) -> str:
    """The reader of a dataset; found by its files if it is `auto`."""
    path = paths if isinstance(paths, Path) else paths[0]
    return reader_of(path, follow_links=opening.follow_links) if reader == "auto" else reader
