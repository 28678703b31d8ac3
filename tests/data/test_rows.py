import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from freeze_or_tune.data.rows import Rows
from freeze_or_tune.system.errors import UserError

HEAD = b"a header"
VALUES = np.random.default_rng(0).integers(0, 256, (40, 5, 5, 3), np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "values").write_bytes(HEAD + VALUES.tobytes())
    return tmp_path / "values"


def read(rows: Rows, *which: int) -> np.ndarray:
    into = np.zeros((len(which), *VALUES.shape[1:]), np.uint8)
    rows.read(which, into)
    return into


def test_rows_are_those_of_the_array_whichever_thread_reads(path: Path) -> None:
    rows, places = Rows(path, len(HEAD), VALUES.shape), np.random.default_rng(1).integers(0, 40, (200, 6)).tolist()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda which: read(rows, *which), places))
    assert all(np.array_equal(ours, VALUES[which]) for ours, which in zip(found, places, strict=True))
    assert np.array_equal(read(rows, 39, 0), VALUES[[39, 0]])


def test_a_system_that_gives_a_few_bytes_at_a_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.preadv
    monkeypatch.setattr(os, "preadv", lambda file, buffers, at: real(file, [buffers[0][:7]], at))
    assert np.array_equal(read(Rows(path, len(HEAD), VALUES.shape), 3, 38), VALUES[[3, 38]])


def test_a_file_cut_short_while_it_is_read_is_an_error(path: Path) -> None:
    rows = Rows(path, len(HEAD), VALUES.shape)
    os.truncate(path, len(HEAD) + VALUES[:20].nbytes + 10)
    assert np.array_equal(read(rows, 19), VALUES[[19]])
    with pytest.raises(UserError, match=r"values has become shorter while it was read; delete it"):
        read(rows, 20)


def test_a_file_system_that_goes_away_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(*_: object) -> int:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    rows = Rows(path, len(HEAD), VALUES.shape)
    monkeypatch.setattr(os, "preadv", stale)
    with pytest.raises(UserError, match=r"values cannot be read \(Stale file handle\).*last checkpoint"):
        read(rows, 0)


def test_a_file_that_is_not_needed_any_more_is_closed(path: Path) -> None:
    def still_open() -> int:
        links = Path("/proc/self/fd").iterdir()
        return sum(link.exists() and link.samefile(path) for link in links)

    rows = Rows(path, len(HEAD), VALUES.shape)
    assert still_open() == 1
    del rows
    assert still_open() == 0
