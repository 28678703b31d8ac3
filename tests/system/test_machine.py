"""What a process is told that it may use, on machines that are laid out in a folder."""

import math
import os
from pathlib import Path

import pytest

from freeze_or_tune.system import machine
from freeze_or_tune.system.machine import Driver, available_memory_mb, nvidia_driver, usable_cores

GIB = 2**30


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without cgroups, with 16 GiB of memory and eight cores for this process."""
    for name, place in (("_CGROUPS", "cgroup"), ("_OWN", "own"), ("_MEMORY", "meminfo"), ("_DRIVER", "driver")):
        monkeypatch.setattr(machine, name, tmp_path / place)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    (tmp_path / "meminfo").write_text(f"MemTotal: {32 * 2**20} kB\nMemAvailable: {16 * 2**20} kB\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def put(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_a_process_without_limits(there: Path) -> None:
    assert usable_cores() == 8
    assert available_memory_mb() == 16 * 1024


def test_where_nothing_is_said(there: Path) -> None:
    (there / "meminfo").unlink()
    assert available_memory_mb() == math.inf


def test_the_quota_of_a_container(there: Path) -> None:
    (there / "own").write_text("0::/\n")
    put(there / "cgroup", cpu__max="150000 100000\n", memory__max=f"{4 * GIB}\n")
    put(there / "cgroup", memory__stat=f"anon {GIB}\nfile {2 * GIB}\n")
    assert usable_cores() == 1.5
    assert available_memory_mb() == 3 * 1024  # what caches files is no obstacle


def test_the_narrowest_of_nested_limits_counts(there: Path) -> None:
    (there / "own").write_text("0::/slurm/job_1/step_0\n")
    put(there / "cgroup/slurm/job_1/step_0", cpu__max="max 100000", memory__max="max")
    put(there / "cgroup/slurm/job_1", cpu__max="200000 100000", memory__max=f"{2 * GIB}", memory__stat="anon 0\n")
    put(there / "cgroup/slurm", cpu__max="400000 100000", memory__max=f"{8 * GIB}", memory__stat="anon 0\n")
    assert usable_cores() == 2
    assert available_memory_mb() == 2 * 1024


def test_a_job_of_cgroups_of_version_1(there: Path) -> None:
    (there / "own").write_text("9:memory:/slurm/job_1\n4:cpu,cpuacct:/slurm/job_1\n1:name=systemd:/x\n")
    put(there / "cgroup/cpu/slurm/job_1", cpu__cfs_quota_us="300000", cpu__cfs_period_us="100000")
    put(there / "cgroup/cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    put(there / "cgroup/memory/slurm/job_1", memory__limit_in_bytes=str(5 * GIB), memory__stat=f"cache 7\nrss {GIB}\n")
    assert usable_cores() == 3
    assert available_memory_mb() == 4 * 1024


def smi(there: Path, script: str) -> None:
    put(there / "bin")
    command = there / "bin/nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)


def test_the_driver_by_nvidia_smi(there: Path) -> None:
    smi(there, "echo '535.129.03, Tesla V100-SXM2-16GB'; echo '535.129.03, Tesla T4'")
    assert nvidia_driver() == Driver("535.129.03", ("Tesla V100-SXM2-16GB", "Tesla T4"))


@pytest.mark.parametrize("script", ["echo 'No devices were found'", "exit 9", None])
def test_the_driver_by_the_kernel(script: str | None, there: Path) -> None:
    if script:
        smi(there, script)
    assert nvidia_driver() is None
    (there / "driver").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.223.02  Sat Oct  7 15:39:11 UTC 2023\n"
        "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"
    )
    assert nvidia_driver() == Driver("470.223.02", ())
