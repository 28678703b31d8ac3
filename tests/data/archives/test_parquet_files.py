"""Damaged and hostile parquet files."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from freeze_or_tune.data.archives import base
from freeze_or_tune.data.layouts.packed import read_packed
from freeze_or_tune.data.opening import open_images
from freeze_or_tune.study.opening import Opening
from freeze_or_tune.system.errors import UserError

from ..conftest import plain
from .parquets import held, row, written


def damages(data: bytes) -> Iterator[bytes]:
    yield data[:-10]
    yield data[: len(data) // 2]
    yield b"PAR1"
    yield b""
    yield b"no parquet at all" * 10
    yield b"PARE" + data[4:-4] + b"PARE"
    yield data[:-8] + (1 << 31).to_bytes(4, "little") + data[-4:]


def test_a_damaged_file_is_refused_in_words(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.parquet", [row(i, "ab"[i % 2]) for i in range(6)]).read_bytes()
    for number, data in enumerate(damages(whole)):
        path = tmp_path / f"{number}.parquet"
        path.write_bytes(data)
        with pytest.raises(UserError, match="is no readable parquet file"):
            held(path)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 5000), byte=st.integers(0, 255))
def test_whatever_byte_is_changed_it_is_read_or_refused_in_words(
    at: int, byte: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "changed"
    path = folder / "a.parquet"
    if not path.exists():
        written(path, [row(i, "ab"[i % 2], f"{i}.png") for i in range(20)], 5)
    data = bytearray(path.read_bytes())
    data[at % len(data)] = byte
    other = folder / "b.parquet"
    other.write_bytes(data)
    read: list[str] = []
    with suppress(UserError), open_images(other, Opening(reader="parquet")) as archive:
        for listing in read_packed(archive):
            with suppress(UserError):
                read += [listing.image] if archive.read(listing.image) else []
    assert len(set(read)) == len(read) <= 20
    assert len(read) == 20 or data != path.read_bytes()


def test_a_column_that_grows_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    rows = [{"image": {"bytes": bytes(1_000_000), "path": f"{i}.png"}, "label": str(i % 2)} for i in range(4)]
    parquet.write_table(pa.Table.from_pylist(rows), path, compression="zstd", use_dictionary=False)
    monkeypatch.setattr("freeze_or_tune.data.archives.parquet_files.ALWAYS_ALLOWED", 1_000_000)
    with pytest.raises(UserError, match=r"would take 4000.* bytes, too many for its"):
        held(path)


def test_one_huge_value_that_many_rows_name_takes_its_memory_once(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    value = os.urandom(8_000_000)
    rows = [{"image": value, "label": str(i % 2)} for i in range(64)]
    parquet.write_table(pa.Table.from_pylist(rows), path, dictionary_pagesize_limit=1 << 30)
    assert path.stat().st_size < 10_000_000
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    with open_images(path, Opening(reader="parquet")) as archive:
        assert len(archive.names()) == 64
        for name in archive.names():
            archive.read(name)
            assert pool.bytes_allocated() - before < 8 * len(value)


def test_an_image_that_is_too_large_is_unreadable_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(0, "a", "0.png"), {"image": {"bytes": bytes(5000), "path": "1.png"}, "label": "b"}]
    monkeypatch.setattr("freeze_or_tune.data.archives.parquet.MOST_BYTES", 4000)
    with open_images(written(tmp_path / "a.parquet", rows), Opening(reader="parquet")) as archive:
        assert archive.read("0.png") == plain(0)
        with pytest.raises(base.UnreadableFile, match="has 5000 bytes, more than the 4000"):
            archive.read("1.png")
