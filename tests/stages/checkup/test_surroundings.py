"""GPUs, drivers and disks that this machine does not have."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from freeze_or_tune.records.checkup import Finding
from freeze_or_tune.stages.checkup import surroundings
from freeze_or_tune.stages.checkup.surroundings import Build, Card, cpus, disks, gpus, memory, these_cards
from freeze_or_tune.stages.checkup.trials import SMALL
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system import disk
from freeze_or_tune.system.machine import Driver

GIB = 2**30
CUDA_13 = Build("2.12.0+cu130", "13.0", ("sm_75", "sm_80", "sm_90", "sm_120"))
CPUS_ONLY = Build("2.12.0+cpu", None, ())
NEW = Driver("580.65.06", ("NVIDIA A40",))
A40 = Card("NVIDIA A40", (8, 6), 40 * GIB, 44 * GIB, budget=20 * GIB)
V100 = Card("Tesla V100", (7, 0), 15 * GIB, 16 * GIB, budget=7 * GIB)


def remedies(findings: Iterable[Finding]) -> str:
    return "\n".join(finding.remedy for finding in findings if finding.remedy)


def of_gpus(driver: Driver | None, *cards: Card, build: Build = CUDA_13, **machine: Any) -> list[Finding]:
    return list(gpus(Machine(**machine), build, driver, cards))


def test_a_gpu_that_works() -> None:
    driver, card = of_gpus(NEW, A40)
    assert driver.value == "580.65.06; nvidia-smi lists NVIDIA A40"
    assert card.value == (
        "NVIDIA A40, compute capability 8.6, 40.0 of 44.0 GiB free, of which images and caches may take 20.0"
    )
    assert remedies([driver, card]) == ""


@pytest.mark.parametrize(("memory_mb", "budget"), [(None, 32 * GIB), (8192, 8 * GIB)])
def test_cards_are_those_that_torch_sees(
    memory_mb: float | None, budget: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"get_device_name": A40.name, "get_device_capability": (8, 6), "mem_get_info": (40 * GIB, 44 * GIB)}
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, lambda device, answer=answer: answer)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    # A quarter is for images that pass, 1 GiB for libraries; a small network takes less.
    assert these_cards(Machine(memory_mb=memory_mb), [SMALL], 20) == [replace(A40, budget=budget)] * 2


def test_an_old_card_beside_a_new_one() -> None:
    _, new, old = of_gpus(NEW, A40, V100)
    assert not new.remedy
    assert "no code for its compute capability 7.0" in old.remedy
    assert "CUDA 12.6" in old.remedy


# NVIDIA's CUDA Compatibility: 13.x needs 580, 12.x needs 525.
@pytest.mark.parametrize(
    ("version", "cuda", "advice"),
    [
        ("535.129.03", "13.0", "needs 580 or newer: have the driver updated, or a torch that is built with CUDA 12"),
        ("470.223.02", "12.6", "needs 525 or newer: have the driver updated, or a torch that is built with CUDA 11"),
        ("390.157", "12.6", "needs 525 or newer: have the driver updated"),
        ("525.60.13", "12.6", None),
    ],
)
def test_the_driver_that_a_torch_needs(version: str, cuda: str, advice: str | None) -> None:
    build = Build("2.9.0", cuda, ("sm_80",))
    found = of_gpus(Driver(version, ("NVIDIA A40",)), *([] if advice else [A40]), build=build)[0].remedy
    assert found.endswith(f"whose CUDA {cuda} {advice}" if advice else "")
    assert bool(found) == bool(advice)


def test_a_torch_for_cpus_beside_a_gpu() -> None:
    assert (
        "built for CPUs only; to use the GPU, where .venv is: make .venv/installed GPU=1"
        in of_gpus(NEW, build=CPUS_ONLY)[0].remedy
    )


def test_gpus_that_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES= hides the GPUs" in of_gpus(NEW)[0].remedy
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert "torch.cuda.init()" in of_gpus(NEW)[0].remedy


def test_who_trains_on_cpus_needs_no_gpu() -> None:
    assert remedies(of_gpus(Driver("390.157", ("GeForce GT 730",)), V100, device="cpu")) == ""


def test_without_a_gpu_it_says_what_is_not_checked() -> None:
    (only,) = of_gpus(None, build=CPUS_ONLY)
    assert "driver, kernels, memory and speed are not checked" in only.value
    assert not only.remedy


def test_fewer_cores_than_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "usable_cores", lambda: 1.5)
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    cores, threads = cpus(1)
    assert cores.value.startswith("1.5 usable of ")
    assert "OMP_WAIT_POLICY=active" in threads.value
    assert remedies([threads]) == ""
    assert "2 threads are more than the 1.5 cores" in remedies(cpus(2))


@pytest.mark.parametrize(("free", "enough"), [(1000.0, False), (4096.0, True)])
def test_memory(free: float, enough: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "available_memory_mb", lambda: free)
    (found,) = memory()
    assert found.value == f"{free / 1024:.1f} GiB available"
    assert (not found.remedy) == enough


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Of a study, on a disk with 3 GB of room; 1.5 GB of results are there already, and half a GB of downloads."""
    there = {"results": 1.5e9, "resources": 0.5e9}
    monkeypatch.setattr(disk, "free_bytes", lambda folder: 3 * 10**9)
    monkeypatch.setattr(disk, "bytes_below", lambda folder: there[folder.name])
    return {name: tmp_path / name for name in there}


NOTHING = {"results": 0.0, "resources": 0.0}


@pytest.mark.parametrize(("results", "enough"), [(3.4e9, True), (3.6e9, False)])
def test_room(results: float, enough: bool, folders: dict[str, Path]) -> None:
    said = remedies(disks(folders, {"results": results, "resources": 1.5e9}))
    assert ("has 3.0 GB free, but the study needs 3.1: make room" in said) == (not enough)
    assert (said == "") == enough
    assert not folders["results"].exists()


def test_downloads_on_a_disk_of_their_own(folders: dict[str, Path]) -> None:
    if Path("/dev/shm").stat().st_dev == folders["results"].parent.stat().st_dev:
        pytest.skip("/dev/shm is no other file system here")
    apart = folders | {"resources": Path("/dev/shm/resources")}
    assert remedies(disks(apart, {"results": 3.4e9, "resources": 3.4e9})) == ""
    said = remedies(disks(apart, {"results": 3.4e9, "resources": 3.6e9}))
    assert said == "/dev/shm has 3.0 GB free, but the study needs 3.1: make room, or take another disk"


def test_a_file_system_without_locks(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "locks", lambda folder: False)
    assert "without locks two jobs may do the same work" in remedies(disks(folders, NOTHING))


def test_a_folder_in_which_nothing_can_be_written(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    said = remedies(disks(folders, NOTHING))
    assert f"nothing can be written in {folders['results'].parent} ([Errno 28] No space left on device)" in said


def test_the_room_is_that_of_the_disk(tmp_path: Path) -> None:
    assert disk.free_bytes(tmp_path) == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)
