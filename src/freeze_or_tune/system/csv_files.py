"""The small CSV files between stages: written whole, and checked line by line when read."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import replacing


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and `rows` as CSV, atomically; file names that are not UTF-8 keep their bytes."""
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def read_table(path: Path, columns: Sequence[str], more: Sequence[str] = ()) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of each row; UserError if the header or the number of cells is wrong.

    There are the `columns`, perhaps followed by `more`. A byte order mark, which spreadsheets write, is no part of the
    first line.
    """
    try:
        file = path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    with file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            if header not in ([*columns], [*columns, *more]):
                raise UserError(f"{path}: the first line is {','.join(header)!r}, not {','.join(columns)!r}")
            for cells in reader:
                if len(cells) != len(header):
                    raise UserError(
                        f"{path}, line {reader.line_num}: {len(cells)} cells, not {len(header)} ({', '.join(header)})"
                    )
                yield reader.line_num, cells
        except csv.Error as error:
            raise UserError(f"{path}, line {reader.line_num}: {error}") from None
