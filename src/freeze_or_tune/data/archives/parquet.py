"""Parquet files with a column of images, read in place: a row at a time, of one row group at a time.

pyarrow hands out pages one by one only if it is told to buffer and not to read ahead; else it holds a whole row group,
which is the whole file where others than the Hugging Face Hub have written it. One row at a time, because a dictionary
may hold one huge value that many rows name.
"""

import contextlib
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from freeze_or_tune.data.archives.base import MOST_BYTES, UnreadableFile, check_count
from freeze_or_tune.data.archives.packed import Packed, PackedArchive, Shard, common, named_part, names_of, shards_of
from freeze_or_tune.data.archives.parquet_columns import Columns, columns_of
from freeze_or_tune.data.archives.tars import ALWAYS_ALLOWED, MOST_TIMES
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError

SUFFIXES = (".parquet",)
BUFFER = 1 << 20
ROWS = 4096
"""Rows of labels or paths at a time."""
KEPT = 64
"""Images that are kept: threads ask for them nearly, not quite, in order."""


class ParquetArchive(PackedArchive):
    """The images of parquet files, each under its own name if it has one of its own, else under its content's."""

    def __init__(
        self, paths: Sequence[Path], said: Mapping[str, str | int] | None = None, *, follow_links: bool = False
    ):
        """Find the columns and name the images; `said` names columns. UserError if a file is damaged or none fits."""
        super().__init__(common(paths))
        self._shards, spare = shards_of(paths, SUFFIXES, follow_links=follow_links)
        self.findings += Finding.of(
            "ignored", spare, "Files that are none of the parts train, val and test that others are; they are left out"
        )
        self._groups: list[tuple[Shard, int]] = []
        self._starts: list[int] = []
        self._rows, self._complete = 0, True
        self._rows_of: dict[str, int] = {}
        self._lock = threading.Lock()
        self.columns = self._list(said or {})
        self._going = _Going(self._groups, self._starts, self.columns.image)
        self._present = self._name()

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
            raise UnreadableFile(f"{name!r} has no bytes, although the file says that all rows have")
        if len(data) > MOST_BYTES:
            raise UnreadableFile(f"{name!r} has {len(data)} bytes, more than the {MOST_BYTES} of any image")
        return data

    def images(self) -> Iterator[Packed]:
        """All images, in the order of the rows."""
        names = iter(self._rows_of)
        columns = self.columns
        wanted = [column for column in (columns.label, columns.split, columns.group) if column]
        for present, (shard, row) in zip(self._present, self._cells(wanted), strict=True):
            label, group = row[columns.label], row[columns.group] if columns.group else None
            part = named_part(str(row[columns.split] or "")) if columns.split else shard.part
            if present:
                yield Packed(next(names), _label(label, columns.classes), part, "" if group is None else str(group))

    def read_as(self, count: int) -> list[Finding]:
        """Which columns were taken for what."""
        columns = self.columns
        taken = {"image": columns.image, "class": columns.label, "part": columns.split, "group": columns.group}
        words = ", ".join(f"{what} from {column!r}" for what, column in taken.items() if column)
        return [Finding(kind="read", words=f"Images in {len(self._shards)} parquet files: {words}", count=count)]

    def close(self) -> None:
        """Close the file that is open."""
        self._going.close()

    def _list(self, said: Mapping[str, str | int]) -> Columns:
        """Note where each row group begins; UserError if files differ in the columns that are read."""
        found: dict[Columns, Shard] = {}
        for shard in self._shards:
            with _opened(shard) as file:
                columns = columns_of(file.schema_arrow, said, shard.path)
                found.setdefault(columns, shard)
                for group in range(file.num_row_groups):
                    about = file.metadata.row_group(group)
                    _check_sizes(about, shard.path)
                    self._complete &= _complete(about, columns.image)
                    self._groups.append((shard, group))
                    self._starts.append(self._rows)
                    self._rows += about.num_rows
                    check_count(self.path, self._rows)
        if len(found) > 1:
            (one, first), (other, second) = list(found.items())[:2]
            raise UserError(
                f"{first.path} and {second.path} have other columns ({one.image}, {one.label}; {other.image}, "
                f"{other.label}) or other names of classes; give the files of one dataset"
            )
        return next(iter(found))

    def _name(self) -> list[bool]:
        """Name the images, and return which rows have one."""
        present = [True] * self._rows if self._complete else [data is not None for data in self._all()]
        if not any(present):
            raise UserError(
                f"{self.path}: the column {self.columns.image!r} holds no bytes, at best names of files that lie "
                "elsewhere; embed the images (push_to_hub does), or give the folder that they lie in"
            )
        parts = [shard.part for shard, here in zip(self._shards_of_rows(), present, strict=True) if here]
        paths = [path for path, here in zip(self._paths(), present, strict=True) if here]
        names, by_content = names_of(paths, parts, lambda: (data for data in self._all() if data is not None))
        self._rows_of = dict(zip(names, (row for row, here in enumerate(present) if here), strict=True))
        if by_content:
            self.findings += Finding.of(
                "read", names, "Images without names of their own; each is called by its content (its SHA-256)"
            )
        self.findings += Finding.of(
            "ignored", (f"row {row}" for row, here in enumerate(present) if not here),
            "Rows without an image, or with the name of a file alone; they are left out",
        )  # fmt: skip
        return present

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
            with _opened(shard) as file, _damage(shard.path):
                for batch in file.iter_batches(ROWS, columns=columns, use_threads=False):
                    for row in batch.to_pylist():
                        yield shard, row

    def _all(self) -> Iterator[bytes | None]:
        for shard in self._shards:
            with _opened(shard) as file:
                for group in range(file.num_row_groups):
                    yield from _images(file, group, self.columns.image, shard.path)


class _Going:
    """The images from a row on, in their order, and the last that were passed."""

    def __init__(self, groups: Sequence[tuple[Shard, int]], starts: Sequence[int], column: str) -> None:
        self._groups, self._starts, self._column = groups, starts, column
        self._open: tuple[Shard, parquet.ParquetFile] | None = None
        self._group, self._next = -1, 0
        self._values: Iterator[bytes | None] = iter(())
        self._held: OrderedDict[int, bytes | None] = OrderedDict()
        self._bytes = 0

    def at(self, row: int) -> bytes | None:
        """The image in a row: from those that are kept, or by going on, or from the start of its row group."""
        if row not in self._held:
            group = bisect_right(self._starts, row) - 1
            if group != self._group or row < self._next:
                self._values, self._next = self._begin(group), self._starts[group]
                self._group = group
            while self._next <= row:
                self._keep(self._next, next(self._values))
                self._next += 1
        return self._held[row]

    def close(self) -> None:
        self._values, self._group = iter(()), -1
        if self._open is not None:
            self._open[1].close()
        self._open = None

    def _begin(self, group: int) -> Iterator[bytes | None]:
        shard, number = self._groups[group]
        if self._open is None or self._open[0] != shard:
            self.close()
            with _damage(shard.path):
                self._open = shard, _file(shard.path)
        return _images(self._open[1], number, self._column, shard.path)

    def _keep(self, row: int, data: bytes | None) -> None:
        self._bytes += len(data or b"") - len(self._held.pop(row, None) or b"")
        self._held[row] = data
        while len(self._held) > 1 and (len(self._held) > KEPT or self._bytes > MOST_BYTES):
            self._bytes -= len(self._held.popitem(last=False)[1] or b"")


def _images(file: parquet.ParquetFile, group: int, column: str, path: Path) -> Iterator[bytes | None]:
    """The images of a row group, None where there is none."""
    left = file.metadata.row_group(group).num_rows
    with _damage(path):
        for batch in file.iter_batches(1, row_groups=[group], columns=[column], use_threads=False):
            value = batch.column(0)[0].as_py()
            yield value.get("bytes") if isinstance(value, dict) else value
            left -= 1
        if left:
            raise OSError(f"{left} rows of row group {group} are missing")


def _label(value: object, classes: Sequence[str]) -> str | None:
    """A class by its name; None if there is none, as -1 says of images whose class is kept secret."""
    if value is None or value == "":
        return None
    if classes and isinstance(value, int):
        return classes[value] if 0 <= value < len(classes) else None
    return str(value)


def _complete(about: parquet.RowGroupMetaData, column: str) -> bool:
    """Whether the file says that no row of this group is without an image."""
    chunks = (about.column(place) for place in range(about.num_columns))
    told = next(chunk for chunk in chunks if chunk.path_in_schema == column).statistics
    return told is not None and bool(told.has_null_count) and not told.null_count


def _check_sizes(about: parquet.RowGroupMetaData, path: Path) -> None:
    """Raise UserError if a column says that it grows too much when it is read."""
    for place in range(about.num_columns):
        chunk = about.column(place)
        if chunk.total_uncompressed_size > max(ALWAYS_ALLOWED, MOST_TIMES * chunk.total_compressed_size):
            raise UserError(
                f"{path}: the column {chunk.path_in_schema!r} would take {chunk.total_uncompressed_size} bytes, too "
                f"many for its {chunk.total_compressed_size}; it was not read"
            )


def _file(path: Path) -> parquet.ParquetFile:
    return parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)


@contextlib.contextmanager
def _opened(shard: Shard) -> Iterator[parquet.ParquetFile]:
    with _damage(shard.path):
        file = _file(shard.path)
    with file:
        yield file


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    """What pyarrow says of damaged and of encrypted files, as UserError."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:300]
        raise UserError(
            f"{path} is no readable parquet file ({reason}); fetch or make it again, and without encryption"
        ) from None
