"""Locks between processes, also of different nodes (`flock`); the system frees that of a dead one."""

import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

with suppress(ModuleNotFoundError):  # Windows has none, and is refused in words: system/process.py
    import fcntl

log = logging.getLogger(__name__)

_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})
"""What file systems answer that know no locks: Lustre without the mount option flock, NFS 3 without lockd."""
_PAUSE = 0.1
"""Seconds between two attempts."""


class Busy(Exception):
    """Another process holds the lock, and is not waited for."""


@contextmanager
def locked(path: Path, what: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a lock; yield whether another process held it before. `what` it guards is logged.

    The other one is waited for, or Busy is raised. On a file system without locks nothing is held and nobody is waited
    for; a warning says so.
    """
    waited = False
    while (descriptor := _attempt(path)) is None:
        if not wait:
            raise Busy(f"another process works on {what}")
        if not waited:
            log.warning("another process works on %s: waiting for it", what)
        waited = True
        time.sleep(_PAUSE)
    try:
        yield waited
    finally:
        path.unlink(missing_ok=True)  # before the release: afterwards it may be another's
        os.close(descriptor)


def held(path: Path) -> bool:
    """Whether a process holds a lock. Whoever may read the file can ask, and all can at once."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as problem:
        return _by_another(problem)
    finally:
        os.close(descriptor)
    return False


def _attempt(path: Path) -> int | None:
    """The open file that holds the lock; None if another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        if problem.errno in _NO_LOCKS:
            log.warning("%s: the file system knows no locks (%s)", path, problem.strerror)
            return descriptor
        os.close(descriptor)
        if _by_another(problem):
            return None
        raise
    if os.fstat(descriptor).st_nlink == 0:  # its holder has removed it in between
        os.close(descriptor)
        return None
    return descriptor


def _by_another(problem: OSError) -> bool:
    return isinstance(problem, BlockingIOError | PermissionError)  # some file systems answer EACCES
