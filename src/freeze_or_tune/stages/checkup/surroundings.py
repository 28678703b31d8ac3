"""What is around the networks: software, GPUs and their driver, cores, memory, disks."""

import math
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from freeze_or_tune.records.checkup import Finding
from freeze_or_tune.stages.memory import needed_on_gpu
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system import disk
from freeze_or_tune.system.machine import Driver, available_memory_mb, usable_cores
from freeze_or_tune.training.cache import memory_budget
from freeze_or_tune.training.device import OTHER_TORCH, built_for, gpu_memory, unusable

_DRIVERS = {11: 450, 12: 525, 13: 580}
"""The oldest driver for each CUDA (NVIDIA's CUDA Compatibility, "Minor Version Compatibility")."""
_LEAST_MEMORY_MB = 1500
"""The smallest experiment, Python and torch among it (docs/cluster.md)."""
_LEAST_ROOM = 2**30
"""Bytes that a job may leave for a while in TMPDIR: a cache, the download of a package."""
_GIB = 2**30


@dataclass(frozen=True)
class Build:
    """The torch that is installed."""

    version: str
    cuda: str | None
    """Of the toolkit that it is built with; None for CPUs only."""
    architectures: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """A GPU as torch sees it; memory in bytes."""

    name: str
    capability: tuple[int, int]
    free: int
    total: int
    budget: float
    """What images and caches may take."""


def software() -> Iterator[Finding]:
    """What computes, and where."""
    yield Finding(section="Software", name="machine", value=f"{os.uname().nodename}, {platform.platform()}")
    yield Finding(section="Software", name="Python", value=platform.python_version())
    build = this_build()
    built = f"built with CUDA {build.cuda}" if build.cuda else "built for CPUs only"
    yield Finding(section="Software", name="torch", value=f"{build.version}, {built}")


def this_build() -> Build:
    """As torch says."""
    return Build(torch.__version__, torch.version.cuda, tuple(built_for()))


def these_cards(machine: Machine, networks: Sequence[Network], batch: int) -> list[Card]:
    """The GPUs that this process sees; RuntimeError if one does not answer. Budgets are those beside any network."""
    if not torch.cuda.is_available():
        return []

    def budget(device: torch.device) -> float:
        there = gpu_memory(machine, device)
        needed = max(needed_on_gpu(network, batch, there) for network in networks)
        return memory_budget(machine, device, math.inf, needed)

    devices = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    return [
        Card(
            torch.cuda.get_device_name(device), torch.cuda.get_device_capability(device),
            *torch.cuda.mem_get_info(device), budget(device),
        )
        for device in devices
    ]  # fmt: skip


def gpus(machine: Machine, build: Build, driver: Driver | None, cards: Sequence[Card]) -> Iterator[Finding]:
    """The driver, each GPU, and whether this torch can use them."""

    def finding(name: str, value: str, remedy: str = "") -> Finding:
        # Whoever trains on CPUs has nothing to mend.
        return Finding(section="GPU", name=name, value=value, remedy="" if machine.device == "cpu" else remedy)

    if driver is not None:
        listed = f"; nvidia-smi lists {', '.join(driver.gpus)}" if driver.gpus else ""
        # Where torch sees GPUs the driver will do: of some cards NVIDIA's compatibility package lets an older one.
        remedy = "" if cards else _too_old(driver, build) or _unseen(driver, build)
        yield finding("driver", f"{driver.version}{listed}", remedy)
    for number, card in enumerate(cards):
        yield finding(
            f"GPU {number}",
            f"{card.name}, compute capability {'.'.join(map(str, card.capability))}, {card.free / _GIB:.1f} of "
            f"{card.total / _GIB:.1f} GiB free, of which images and caches may take {card.budget / _GIB:.1f}",
            unusable(card.capability, build.architectures) or "",
        )
    if not cards:
        unknown = "its driver, kernels, memory and speed are not checked here"
        yield finding("none", f"torch sees no GPU: {unknown}")


def _too_old(driver: Driver, build: Build) -> str:
    if build.cuda is None:
        return ""
    wanted = _DRIVERS.get(int(build.cuda.split(".")[0]), 0)
    major = int(driver.version.split(".")[0])
    if major >= wanted:
        return ""
    older = [cuda for cuda, least in _DRIVERS.items() if least <= major]
    instead = f", or a torch that is built with CUDA {max(older)}" if older else ""
    return (
        f"the driver {driver.version} is too old for torch {build.version}, whose CUDA {build.cuda} needs {wanted} or "
        f"newer: have the driver updated{instead}"
    )


def _unseen(driver: Driver, build: Build) -> str:
    """What to do about GPUs that nvidia-smi sees, but not torch."""
    if not driver.gpus:
        return ""
    if build.cuda is None:
        return f"torch {build.version} is built for CPUs only; to use the GPU, where .venv is: {OTHER_TORCH}"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None:
        return f"CUDA_VISIBLE_DEVICES={hidden} hides the GPUs: unset it, or ask the scheduler for a GPU"
    return "torch sees none of these GPUs: see what `python -c 'import torch; torch.cuda.init()'` says"


def cpus(threads: int) -> Iterator[Finding]:
    """Cores, and the settings of threads."""
    cores, there = usable_cores(), os.cpu_count() or 1
    yield Finding(section="CPU", name="cores", value=f"{cores:g} usable of {there}")
    waits = [f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
             if name in os.environ]  # fmt: skip
    yield Finding(
        section="CPU", name="threads",
        value=f"{threads} in what follows, as an experiment has; {', '.join(waits) or 'no OMP settings'}",
        remedy=f"{threads} threads are more than the {cores:g} cores: give the job more" if threads > cores else "",
    )  # fmt: skip


def memory() -> Iterator[Finding]:
    """What could be had now."""
    free = available_memory_mb()
    value = "unknown" if math.isinf(free) else f"{free / 2**10:.1f} GiB available"
    short = f"an experiment takes {_LEAST_MEMORY_MB} MB at least: end other programs, or ask for more (mem_mb)"
    yield Finding(section="Memory", name="memory", value=value, remedy=short if free < _LEAST_MEMORY_MB else "")


def disks(folders: Mapping[str, Path], needed: Mapping[str, float]) -> Iterator[Finding]:
    """The file systems of results, of resources (downloads), and of temporary files; `needed` bytes in the end."""
    missing = {name: max(0.0, needed[name] - disk.bytes_below(folder)) for name, folder in folders.items()}
    there = {name: disk.existing(folder) for name, folder in folders.items()}
    apart = there["results"].stat().st_dev != there["resources"].stat().st_dev
    if apart:  # a link to another disk
        yield _room("resources", there["resources"], missing["resources"], "the study")
    yield _room("results", there["results"], missing["results"] if apart else sum(missing.values()), "the study")
    yield from _files("results", there["results"])
    yield _room("TMPDIR", Path(tempfile.gettempdir()), _LEAST_ROOM, "a job")
    yield from _files("TMPDIR", Path(tempfile.gettempdir()))


def _room(name: str, folder: Path, needed: float, whose: str) -> Finding:
    free = disk.free_bytes(folder)
    short = (
        f"{folder} has {free / 1e9:.1f} GB free, but {whose} needs {needed / 1e9:.1f}: make room, or take another disk"
    )
    return Finding(
        section="Disk", name=f"{name}: room",
        value=f"{free / 1e9:.1f} GB free in {folder}; {whose} needs {needed / 1e9:.1f}",
        remedy=short if free < needed else "",
    )  # fmt: skip


def _files(name: str, folder: Path) -> Iterator[Finding]:
    def finding(what: str, value: str, remedy: str = "") -> Finding:
        return Finding(section="Disk", name=f"{name}: {what}", value=value, remedy=remedy)

    try:
        usual, longest = disk.writing(folder)
        yield finding("a small file", f"written in {1e3 * usual:.1f} ms, {1e3 * longest:.1f} at most (fsync, rename)")
        seen = disk.visible_after(folder)
        yield finding("seen", f"by another process {1e3 * seen:.1f} ms later")
        if name == "results":
            held = disk.locks(folder)
            yield finding("locks", "work between processes" if held else "do not work", "" if held else _NO_LOCKS)
    except OSError as error:
        yield finding(
            "writing", "fails", f"nothing can be written in {folder} ({error}): make room, or mend its rights"
        )


_NO_LOCKS = (
    "without locks two jobs may do the same work, and status takes running experiments for interrupted: mount the file "
    "system with them (Lustre: -o flock; NFS: version 4, or lockd), or put the results on another one"
)
