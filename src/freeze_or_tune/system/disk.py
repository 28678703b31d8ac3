"""What a file system can do that results lie on: room, locks between processes, and how long files take."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import IO, NamedTuple

from freeze_or_tune.system.files import replacing

# Two processes: one holds the lock, and one that it starts asks. A lock server that does not answer may leave both
# hanging in the kernel, but not this process.
_ASKS = """
import sys
from pathlib import Path
from freeze_or_tune.system.locks import held
sys.exit(0 if held(Path(sys.argv[1])) else 3)
"""
_HOLDS = """
import subprocess, sys
from pathlib import Path
from freeze_or_tune.system.locks import locked
lock = Path(sys.argv[1])
with locked(lock, lock):
    sys.exit(subprocess.run([sys.executable, "-c", sys.argv[2], lock]).returncode)
"""
_WAITS = """
import sys, time
from pathlib import Path
path, end = Path(sys.argv[1]), time.time() + float(sys.argv[2])
print("waiting", flush=True)
while not path.exists() and time.time() < end:
    time.sleep(0.0005)
print(time.time())
"""
_NO_LOCKS = 3
_PIECE = 2**20
_PATIENCE = 30.0
"""Seconds that another process is waited for."""


class Writing(NamedTuple):
    """Seconds to write a small file whole (create, fsync, rename): the median, and the longest."""

    usual: float
    longest: float


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there: it lies on the file system that the path would."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def bytes_below(folder: Path) -> int:
    """What the files in a folder take; links are not followed."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a temporary one
            total += path.lstat().st_size
    return total


def free_bytes(folder: Path) -> int:
    """Room that this user may fill, as far as no quota is set."""
    return shutil.disk_usage(folder).free


def take(file: IO[bytes], size: int) -> None:
    """Room for all of a new file, now; OSError if there is none. A full disk kills who writes into a map."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    for start in range(0, size, _PIECE):  # macOS
        file.write(bytes(min(_PIECE, size - start)))
    file.flush()


def writing(folder: Path, times: int = 20) -> Writing:
    """How long a small file takes; OSError if none can be written."""
    taken = []
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as own:
        for number in range(times):
            start = time.perf_counter()
            with replacing(Path(own, str(number))) as temporary, temporary.open("wb") as file:
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())
            taken.append(time.perf_counter() - start)
    return Writing(median(taken), max(taken))


def locks(folder: Path) -> bool:
    """Whether a lock that one process holds is seen by another."""
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as own:
        command = [sys.executable, "-c", _HOLDS, str(Path(own, ".lock")), _ASKS]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            return False
    if ended.returncode not in {0, _NO_LOCKS}:
        raise OSError(f"a process that tries locks has failed: {ended.stderr.strip()}")
    return ended.returncode == 0


def visible_after(folder: Path) -> float:
    """Seconds until another process of this machine sees a file that this one has written."""
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as own:
        path = Path(own, "new")
        command = [sys.executable, "-c", _WAITS, str(path), str(_PATIENCE)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            other.stdout.readline()
            with replacing(path) as temporary:
                temporary.write_bytes(bytes(4096))
            written = time.time()
            seen = float(other.stdout.readline())
    return max(0.0, seen - written)
