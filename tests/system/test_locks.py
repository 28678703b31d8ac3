"""Locks between processes: what becomes of them on file systems that have none, and who may look at them."""

import errno
import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freeze_or_tune.system.locks import Busy, held, locked


@pytest.fixture
def lock() -> Iterator[Path]:
    """A lock in a folder that everyone can read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder, ".result.lock")


def test_a_lock_is_held_until_it_is_left_and_leaves_no_file(lock: Path) -> None:
    assert not held(lock)
    with locked(lock, Path("result.json")) as waited:
        assert not waited
        assert held(lock)
    assert not held(lock)
    assert not lock.exists()


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_without_locks_work_goes_on_and_says_so(
    code: int, lock: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    lock.touch()  # of a job that was killed
    monkeypatch.setattr(fcntl, "flock", refuse)
    with caplog.at_level(logging.WARNING), locked(lock, Path("result.json")) as waited:
        assert not waited
        assert not held(lock)
    assert "the file system knows no locks" in caplog.text
    assert not lock.exists()


def test_who_may_only_read_can_ask(lock: Path) -> None:
    with locked(lock, Path("result.json")):
        lock.chmod(0o444)
        user = os.geteuid()
        if user == 0:  # who may write everything
            os.seteuid(65534)
        try:
            assert held(lock)
        finally:
            os.seteuid(user)


def test_two_who_ask_do_not_take_each_other_for_a_job(lock: Path) -> None:
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not held(lock)


def test_who_does_not_wait_is_told(lock: Path) -> None:
    result = Path("result.json")
    with locked(lock, result):
        with pytest.raises(Busy, match=r"another process works on result\.json"), locked(lock, result, wait=False):
            pytest.fail("two hold one lock")
        assert held(lock)
