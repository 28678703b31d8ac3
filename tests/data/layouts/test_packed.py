"""Images in parquet files and WebDataset's tars, from their form to a store."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from freeze_or_tune.data.archives import parquet_files
from freeze_or_tune.data.decoding import decode
from freeze_or_tune.data.fingerprint import fingerprint
from freeze_or_tune.data.index import build_index, read_index
from freeze_or_tune.data.layouts import READERS
from freeze_or_tune.data.opening import open_images
from freeze_or_tune.data.splits import Draw
from freeze_or_tune.data.store import Store, build_store
from freeze_or_tune.records.findings import Findings
from freeze_or_tune.study.opening import Opening
from freeze_or_tune.system.errors import UserError

from ..conftest import plain, tarred, zipped

AUTO = Opening(reader="auto")


def bomb() -> bytes:
    """A small PNG that claims to have a million million pixels."""
    head = struct.pack(">IIBBBBB", 1_000_000, 1_000_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    data = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(data)


def packed(folder: Path, form: str, images: list[bytes]) -> Path:
    """Write images of two classes in turn, with names that are sorted the other way round."""
    names = [f"{9999 - number}.png" for number in range(len(images))]
    if form == "parquet":
        rows = [
            {"image": {"bytes": data, "path": name}, "label": "ab"[number % 2]}
            for number, (name, data) in enumerate(zip(names, images, strict=True))
        ]
        parquet.write_table(pa.Table.from_pylist(rows), folder / "all.parquet", row_group_size=10)
        return folder / "all.parquet"
    labels = {name.replace("png", "cls"): (b"a", b"b")[number % 2] for number, name in enumerate(names)}
    return tarred(folder / "all.tar", dict(zip(names, images, strict=True)) | labels)


@pytest.mark.parametrize(
    ("form", "said"),
    [("parquet", "image from 'image.bytes', class from 'label'"), ("webdataset", "their classes from files .cls")],
)
def test_all_images_are_stored_and_a_bomb_among_them_is_rejected(tmp_path: Path, form: str, said: str) -> None:
    images = [*map(plain, range(39)), bomb()]
    path = packed(tmp_path, form, images)
    index, store = tmp_path / "index.csv", tmp_path / "store.npy"
    build_index("auto", path, index, None, opening=AUTO)
    assert len(read_index(index)) == 40
    assert said in "\n".join(map(str, Findings.read(tmp_path / "index.json").findings))
    build_store(path, index, None, dataset="d", size=4, destination=store, threads=2, opening=AUTO)
    held = Store(store)
    assert held.names == [f"{9999 - number}.png" for number in reversed(range(39))]
    for number in range(39):
        np.testing.assert_array_equal(held.images([f"{9999 - number}.png"])[0], decode(images[number], 4))
    rejected = store.with_suffix(".rejected.csv").read_text()
    assert [line.partition(",")[0] for line in rejected.splitlines()] == ["image", "9960.png"]


def test_each_row_group_is_read_once_for_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path, "parquet", [plain(number) for number in range(60)])
    build_index("parquet", path, tmp_path / "index.csv", None, opening=Opening(reader="parquet"))
    begun: list[int] = []
    images_of = parquet_files.images_of

    def counted(file: parquet.ParquetFile, group: int, column: str, path: Path) -> Iterator[bytes | None]:
        begun.append(group)
        return images_of(file, group, column, path)

    monkeypatch.setattr(parquet_files, "images_of", counted)
    for splits in (None, [Draw(seed=0, n=5, val=2, test=2)]):
        begun.clear()
        build_store(
            path, tmp_path / "index.csv", splits, dataset="d", size=4, destination=tmp_path / "s.npy", threads=1,
            opening=AUTO,
        )  # fmt: skip
        assert begun == sorted(set(begun))
        assert begun
    with open_images(path, AUTO) as archive:
        ordered = archive.in_order(archive.names())
        begun.clear()
        for start in range(0, len(ordered), 4):  # as threads come: not quite in order
            for name in reversed(ordered[start : start + 4]):
                archive.read(name)
        assert begun == list(range(6))


def test_a_reader_of_other_files_says_so(tmp_path: Path) -> None:
    with (
        open_images(zipped(tmp_path / "a.zip", {}), Opening()) as archive,
        pytest.raises(UserError, match="is neither a parquet file, nor tars as WebDataset writes them"),
    ):
        READERS["parquet"](archive)


def test_a_shard_that_comes_or_changes_is_noticed(tmp_path: Path) -> None:
    path = packed(tmp_path, "parquet", [plain(0), plain(1)])
    first = fingerprint(tmp_path)
    path.rename(tmp_path / "b.parquet")
    renamed = fingerprint(tmp_path)
    packed(tmp_path, "parquet", [plain(0), plain(1)])
    assert len({first, renamed, fingerprint(tmp_path)}) == 3
