"""Parquet files opened and read a row at a time; what is wrong with one is said in words."""

import contextlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from freeze_or_tune.data.archives.base import MOST_BYTES
from freeze_or_tune.data.archives.packed import Shard
from freeze_or_tune.data.archives.tars import ALWAYS_ALLOWED, MOST_TIMES
from freeze_or_tune.system.errors import UserError

BUFFER = 1 << 20
KEPT = 64
"""Images that are kept: threads ask for them nearly, not quite, in order."""


@dataclass
class _Place:
    """Where a row group is read."""

    values: Iterator[bytes | None]
    row: int
    """The next of `values`."""


class Going:
    """The images from a row on, in their order, and the last that were passed.

    In two row groups at once: a thread may still want the end of one when others are at the beginning of the next.
    """

    def __init__(self, groups: Sequence[tuple[Shard, int]], starts: Sequence[int], column: str) -> None:
        """Take row groups, and the row of the dataset that each begins with; nothing is opened yet."""
        self._groups, self._starts, self._column = groups, starts, column
        self._places: dict[int, _Place] = {}
        self._files: dict[Path, parquet.ParquetFile] = {}
        self._held: OrderedDict[int, bytes | None] = OrderedDict()
        self._bytes = 0

    def at(self, row: int) -> bytes | None:
        """The image in a row: from those that are kept, or by going on, or from the start of its row group."""
        if row not in self._held:
            group = bisect_right(self._starts, row) - 1
            if group not in self._places or row < self._places[group].row:
                self._begin(group)
            place = self._places[group]
            try:
                while place.row <= row:
                    self._keep(place.row, next(place.values))
                    place.row += 1
            except UserError:
                del self._places[group]  # an iterator that has raised has ended
                raise
        return self._held[row]

    def close(self) -> None:
        """Close the files that are open."""
        self._places.clear()
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _begin(self, group: int) -> None:
        """Read a row group from its start; of those that are read, the one that was begun first gives way."""
        self._places.pop(group, None)
        while len(self._places) > 1:
            del self._places[next(iter(self._places))]
        shard, number = self._groups[group]
        used = {shard.path, *(self._groups[other][0].path for other in self._places)}
        for path in self._files.keys() - used:
            self._files.pop(path).close()
        if shard.path not in self._files:
            with damage(shard.path):
                self._files[shard.path] = _file(shard.path)
        values = images_of(self._files[shard.path], number, self._column, shard.path)
        self._places[group] = _Place(values, self._starts[group])

    def _keep(self, row: int, data: bytes | None) -> None:
        self._bytes += len(data or b"") - len(self._held.pop(row, None) or b"")
        self._held[row] = data
        while len(self._held) > 1 and (len(self._held) > KEPT or self._bytes > MOST_BYTES):
            self._bytes -= len(self._held.popitem(last=False)[1] or b"")


def images_of(file: parquet.ParquetFile, group: int, column: str, path: Path) -> Iterator[bytes | None]:
    """The images of a row group, None where there is none."""
    left = file.metadata.row_group(group).num_rows
    with damage(path):
        for batch in file.iter_batches(1, row_groups=[group], columns=[column], use_threads=False):
            value = batch.column(0)[0].as_py()
            yield value.get("bytes") if isinstance(value, dict) else value
            left -= 1
        if left:
            raise OSError(f"{left} rows of row group {group} are missing")


def check_size(about: parquet.RowGroupMetaData, path: Path) -> None:
    """Raise UserError if a row group says that it grows too much when it is read."""
    # Of its columns nothing is asked: where they are damaged, pyarrow ends the process.
    size, packed = about.total_byte_size, path.stat().st_size
    if size > max(ALWAYS_ALLOWED, MOST_TIMES * packed):
        raise UserError(f"{path} would take {size} bytes, too many for its {packed}; it was not read")


def _file(path: Path) -> parquet.ParquetFile:
    return parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)


@contextlib.contextmanager
def opened(shard: Shard) -> Iterator[parquet.ParquetFile]:
    """A file that is closed in the end; UserError if it is damaged or encrypted."""
    with damage(shard.path):
        file = _file(shard.path)
    with file:
        yield file


@contextlib.contextmanager
def damage(path: Path) -> Iterator[None]:
    """What pyarrow says of damaged and of encrypted files, as UserError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: texts that are no UTF-8
        reason = (" ".join(str(error).split()) or type(error).__name__)[:300]
        raise UserError(
            f"{path} is no readable parquet file ({reason}); fetch or make it again, and without encryption"
        ) from None
