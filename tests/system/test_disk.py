"""File systems as they are, and some that cannot what they should."""

import errno
import os
from pathlib import Path

import pytest

from freeze_or_tune.system.disk import bytes_below, existing, locks, visible_after, writing


def test_what_is_not_there_yet_lies_where_its_folder_does(tmp_path: Path) -> None:
    assert existing(tmp_path / "results/one-rate") == tmp_path
    (tmp_path / "results").mkdir()
    assert existing(tmp_path / "results/one-rate") == tmp_path / "results"


def test_what_files_take(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/one").write_bytes(bytes(100))
    before = bytes_below(tmp_path)
    (tmp_path / "a/b/two").write_bytes(bytes(2000))
    assert bytes_below(tmp_path) - before == 2000
    assert bytes_below(tmp_path / "none") == 0


def test_small_files_are_written_and_gone(tmp_path: Path) -> None:
    took = writing(tmp_path, times=5)
    assert 0 < took.usual <= took.longest
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        writing(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_process_sees_a_lock_and_a_file(tmp_path: Path) -> None:
    assert locks(tmp_path)
    assert visible_after(tmp_path) >= 0
    assert list(tmp_path.iterdir()) == []


WITHOUT = """
import errno, fcntl
def flock(descriptor, operation):
    raise OSError(errno.{code}, "no locks")
fcntl.flock = flock
"""
BLIND = "import fcntl\nfcntl.flock = lambda descriptor, operation: None\n"


@pytest.mark.parametrize("kernel", [WITHOUT.format(code="ENOLCK"), WITHOUT.format(code="ENOSYS"), BLIND])
def test_processes_on_a_file_system_without_locks(kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(kernel)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    (tmp_path / "results").mkdir()
    assert not locks(tmp_path / "results")


def test_processes_that_fail_say_nothing_of_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fcntl.py").write_text("raise ImportError('broken')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    with pytest.raises(OSError, match="broken"):
        locks(tmp_path)
