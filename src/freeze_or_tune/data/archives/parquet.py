"""Parquet files with a column of images, read in place: a row at a time, of one row group at a time.

pyarrow hands out pages one by one only if it is told to buffer and not to read ahead; else it holds a whole row group,
which is the whole file where others than the Hugging Face Hub have written it. One row at a time, because a dictionary
may hold one huge value that many rows name.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from freeze_or_tune.data.archives.base import MOST_BYTES, UnreadableFile, check_count
from freeze_or_tune.data.archives.packed import (
    Packed,
    PackedArchive,
    Shard,
    common,
    named_part,
    names_by_content,
    names_by_path,
    shards_of,
)
from freeze_or_tune.data.archives.parquet_columns import Columns, columns_of
from freeze_or_tune.data.archives.parquet_files import Going, check_size, damage, images_of, opened
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError

SUFFIXES = (".parquet",)
ROWS = 4096
"""Rows of labels or paths at a time."""


class ParquetArchive(PackedArchive):
    """The images of parquet files, each under its own name if it has one of its own, else under its content's."""

    def __init__(
        self, paths: Sequence[Path], said: Mapping[str, str | int | None] | None = None, *, follow_links: bool = False
    ):
        """Find the columns and name the images; `said` names columns. UserError if a file is damaged or none fits."""
        super().__init__(common(paths))
        self._shards, spare = shards_of(paths, SUFFIXES, follow_links=follow_links)
        self.findings += Finding.of(
            "ignored", spare, "Files that are none of the parts train, val and test that others are; they are left out"
        )
        self._groups: list[tuple[Shard, int]] = []
        self._starts: list[int] = []
        self._rows = 0
        self._rows_of: dict[str, int] = {}
        self._lock = threading.Lock()
        self.columns = self._list(said or {})
        self._going = Going(self._groups, self._starts, self.columns.image)
        self._name()

    def names(self) -> list[str]:
        """Sorted names of all images."""
        return sorted(self._rows_of)

    def in_order(self, names: Sequence[str]) -> list[str]:
        """By rows: only in this order is each page read once."""
        return sorted(names, key=self._rows_of.__getitem__)

    def read(self, name: str) -> bytes:
        """Bytes of an image."""
        row = self._rows_of[name]
        with self._lock:
            data = self._going.at(row)
        if data is None:
            raise UnreadableFile(f"{name!r} has no bytes")
        if len(data) > MOST_BYTES:
            raise UnreadableFile(f"{name!r} has {len(data)} bytes, more than the {MOST_BYTES} of any image")
        return data

    def images(self) -> Iterator[Packed]:
        """All images, in the order of the rows; rows without one are found."""
        columns = self.columns
        names = {row: name for name, row in self._rows_of.items()}
        wanted = [column for column in (columns.label, columns.split, columns.group) if column]
        missing = []
        for row, (data, (shard, cells)) in enumerate(zip(self._all(), self._cells(wanted), strict=True)):
            if data is None:
                missing.append(row)
                continue
            part = named_part(str(cells[columns.split] or "")) if columns.split else shard.part
            group = cells[columns.group] if columns.group else None
            label = _label(cells[columns.label], columns.classes)
            yield Packed(names[row], label, part, "" if group is None else str(group))
        if len(missing) == self._rows:
            raise UserError(
                f"{self.path}: the column {columns.image!r} holds no bytes, at best names of files that lie elsewhere; "
                "embed the images (push_to_hub does), or give the folder that they lie in"
            )
        self.told.update(names[row] for row in missing if row in names)
        self.findings += Finding.of(
            "ignored", (f"row {row}" for row in missing),
            "Rows without an image, or with the name of a file alone; they are left out",
        )  # fmt: skip

    def read_as(self, count: int) -> list[Finding]:
        """Which columns were taken for what."""
        columns = self.columns
        taken = {"image": columns.image, "class": columns.label, "part": columns.split, "group": columns.group}
        words = ", ".join(f"{what} from {column!r}" for what, column in taken.items() if column)
        return [Finding(kind="read", words=f"Images in {len(self._shards)} parquet files: {words}", count=count)]

    def close(self) -> None:
        """Close the file that is open."""
        self._going.close()

    def _list(self, said: Mapping[str, str | int | None]) -> Columns:
        """Note where each row group begins; UserError if files differ in the columns that are read."""
        found: dict[Columns, Shard] = {}
        for shard in self._shards:
            with opened(shard) as file:
                columns = columns_of(file.schema_arrow, said, shard.path)
                found.setdefault(columns, shard)
                with damage(shard.path):
                    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
                    if min(sizes, default=0) < 0 or sum(sizes) != file.metadata.num_rows:
                        raise ValueError("the sizes of its row groups are not those of the file")
                check_count(self.path, self._rows + sum(sizes))
                for group, size in enumerate(sizes):
                    check_size(file.metadata.row_group(group), shard.path)
                    self._groups.append((shard, group))
                    self._starts.append(self._rows)
                    self._rows += size
        if len(found) > 1:
            (one, first), (other, second) = list(found.items())[:2]
            raise UserError(
                f"{first.path} and {second.path} have other columns ({one.image}, {one.label}; {other.image}, "
                f"{other.label}) or other names of classes; give the files of one dataset"
            )
        return next(iter(found))

    def _name(self) -> None:
        """Name the rows: by their paths, for which the images need not be read, or by what is in them."""
        if not self._rows:
            raise UserError(f"{self.path} holds no rows")
        parts = [shard.part for shard in self._shards_of_rows()]
        names: Sequence[str | None] | None = names_by_path(list(self._paths()), parts)
        if names is None:
            names = names_by_content(self._all())
            self.findings += Finding.of(
                "read", (name for name in names if name),
                "Images without names of their own; each is called by its content (its SHA-256)",
            )  # fmt: skip
        self._rows_of = {name: row for row, name in enumerate(names) if name}

    def _shards_of_rows(self) -> Iterator[Shard]:
        for (shard, _), start, end in zip(self._groups, self._starts, [*self._starts[1:], self._rows], strict=True):
            yield from [shard] * (end - start)

    def _paths(self) -> Iterator[str | None]:
        if self.columns.path is None:
            yield from [None] * self._rows
            return
        for _, row in self._cells([self.columns.path]):
            yield (next(iter(row.values())) or {}).get("path")

    def _cells(self, columns: list[str]) -> Iterator[tuple[Shard, dict[str, Any]]]:
        for shard in self._shards:
            with opened(shard) as file, damage(shard.path):
                left = file.metadata.num_rows
                for batch in file.iter_batches(ROWS, columns=columns, use_threads=False):
                    left -= batch.num_rows
                    for row in batch.to_pylist():
                        yield shard, row
                if left:
                    raise OSError(f"{left} rows are missing")

    def _all(self) -> Iterator[bytes | None]:
        for shard in self._shards:
            with opened(shard) as file:
                for group in range(file.num_row_groups):
                    yield from images_of(file, group, self.columns.image, shard.path)


def _label(value: object, classes: Sequence[str]) -> str | None:
    """A class by its name; None if there is none, as -1 says of images whose class is kept secret."""
    if value is None or value == "":
        return None
    if classes and isinstance(value, int):
        return classes[value] if 0 <= value < len(classes) else None
    return str(value)
