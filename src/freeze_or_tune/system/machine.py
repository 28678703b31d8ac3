"""What the machine lets this process have: cores, memory, and the driver of its GPUs."""

import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_MEMORY = Path("/proc/meminfo")
_DRIVER = Path("/proc/driver/nvidia/version")


class Driver(NamedTuple):
    """NVIDIA's driver, and the names of the GPUs that nvidia-smi lists."""

    version: str
    gpus: tuple[str, ...]


def usable_cores() -> float:
    """Cores that this process may run on, or fewer where a quota of its cgroup (a container's, a job's) says so."""
    # Not on macOS, where nothing binds a process to cores.
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([allowed, *_quotas()])


def available_memory_mb() -> float:
    """Memory that could be had (MiB), within the limit of the cgroup; infinite where nobody says."""
    try:
        lines = _MEMORY.read_text(encoding="ascii").splitlines()
    except OSError:
        return math.inf
    free = [int(line.split()[1]) / 2**10 for line in lines if line.startswith("MemAvailable:")]
    return min([*free, *(left / 2**20 for left in _memory_left())], default=math.inf)


def nvidia_driver() -> Driver | None:
    """The driver, also where torch cannot use it; None if there is none."""
    command = ["nvidia-smi", "--query-gpu=driver_version,name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return _loaded_driver()
    rows = [line.split(", ", 1) for line in done.stdout.splitlines() if ", " in line]
    return Driver(rows[0][0], tuple(name for _, name in rows)) if rows else _loaded_driver()


def _loaded_driver() -> Driver | None:
    """What the kernel says, where nvidia-smi is not installed or does not work."""
    try:
        found = re.search(r"\s(\d+\.\d+(?:\.\d+)?)\s", _DRIVER.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return Driver(found[1], ()) if found else None


def _quotas() -> Iterator[float]:
    """Cores' worth of time that the cgroup and those around it may take."""
    for folder in _cgroups("cpu"):
        words = _words(folder / "cpu.max") or [
            *_words(folder / "cpu.cfs_quota_us"),
            *_words(folder / "cpu.cfs_period_us"),
        ]
        if len(words) == 2 and words[0] not in {"max", "-1"}:
            yield int(words[0]) / int(words[1])


def _memory_left() -> Iterator[float]:
    """Bytes to the limits of the cgroup and those around it; what caches files can be had."""
    for folder in _cgroups("memory"):
        limit = (_words(folder / "memory.max") or _words(folder / "memory.limit_in_bytes") or ["max"])[0]
        words = _words(folder / "memory.stat")
        used = [int(value) for name, value in zip(words[::2], words[1::2], strict=False) if name in {"anon", "rss"}]
        if limit != "max":
            yield int(limit) - sum(used)


def _cgroups(controller: str) -> Iterator[Path]:
    """Folders of this process's cgroup and of those around it: version 2's, or version 1's for one controller."""
    try:
        lines = _OWN.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _CGROUPS / controller if controllers else _CGROUPS
        own = Path(path.lstrip("/"))
        yield from (root / part for part in (own, *own.parents))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []


def peak_resident_mb() -> float:
    """The most memory that this process has had so far (MiB)."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts what the parent had when it started this process
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 2**10
    import resource  # noqa: PLC0415 - Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
