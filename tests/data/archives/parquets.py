"""Small parquet files of images, and what is read of them."""

from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from freeze_or_tune.data.layouts.packed import read_packed
from freeze_or_tune.data.opening import open_images
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.study.opening import Columns, Opening

from ..conftest import plain

Row = dict[str, Any]
PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def row(value: int, label: object, path: str | None = None, **more: object) -> Row:
    return {"image": {"bytes": plain(value), "path": path}, "label": label, **more}


def written(path: Path, rows: list[Row], group: int = 2, **columns: pa.DataType) -> Path:
    """Write rows with pyarrow, `group` to a row group; `columns` have these types."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows)
    for name, kind in ({"image": PICTURE} | columns).items():
        if name in table.column_names:
            table = table.set_column(
                table.column_names.index(name), name, pa.array([one.get(name) for one in rows], kind)
            )
    parquet.write_table(table, path, row_group_size=group)
    return path


def held(path: Path, **columns: str) -> tuple[list[tuple[str, str, bytes]], list[Finding]]:
    """(class, part, bytes) of all that is listed, sorted, and what was noticed."""
    with open_images(path, Opening(reader="parquet", columns=Columns(**columns))) as archive:
        listings = read_packed(archive)
        return sorted((one.class_name, one.subset, archive.read(one.image)) for one in listings), archive.findings
