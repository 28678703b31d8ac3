"""Stage: what a machine can do for a study, and what is to be done first where it cannot.

Around the networks (surroundings.py): software, driver, GPUs, cores, memory, disks. With the study's networks
(trials.py): whether numbers are right and the same each time (numbers.py), and how fast they come (speed.py).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from freeze_or_tune.records.checkup import Checkup, Finding
from freeze_or_tune.stages.checkup.numbers import agreement, repetition
from freeze_or_tune.stages.checkup.speed import speeds
from freeze_or_tune.stages.checkup.surroundings import cpus, disks, gpus, memory, software, these_cards, this_build
from freeze_or_tune.stages.checkup.trials import Trial, trials
from freeze_or_tune.study.study import Study
from freeze_or_tune.system.disk import existing
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.machine import nvidia_driver
from freeze_or_tune.training.device import device_name, prepare_device


def examine(
    study: Study, folder: Path, needed: Mapping[str, float], threads: int = 1, full: bool = False
) -> Iterator[Finding]:
    """Findings as they are made.

    `folder`: where snakemake runs; `needed`: bytes that the study takes in `results` and in `resources`; `full`: try
    also networks that take long on a CPU.
    """
    yield from software()
    yield from _tried("GPU", "torch", _gpus(study))
    yield from cpus(threads)
    yield from memory()
    yield from disks({"results": folder / study.results, "resources": folder / "resources"}, needed)
    yield from _computing(study, existing(folder / study.results), threads, full)


def write_checkup(study: Study, needed: Mapping[str, float], threads: int, destination: Path) -> None:
    """Examine the node that a job has been sent to."""
    Checkup.of(examine(study, Path(), needed, threads)).write(destination)


def _gpus(study: Study) -> Iterator[Finding]:
    networks = [study.network_of(source) for source in study.sources]
    cards = these_cards(study.machine, networks, study.solver.batch)
    yield from gpus(study.machine, this_build(), nvidia_driver(), cards)


def _computing(study: Study, folder: Path, threads: int, full: bool) -> Iterator[Finding]:
    """Steps of the study's networks on its device; checkpoints lie in `folder` for a moment."""
    try:
        device = prepare_device(study.machine, threads)
    except UserError as error:
        yield Finding(section="Numbers", name="device", value="no network can be tried", remedy=str(error))
        return
    yield Finding(section="Numbers", name="device", value=device_name(device))
    chosen = trials(study, device, full)
    for trial in chosen:
        yield from _tried("Numbers", trial.name, _numbers(trial, study, device, folder, threads))
    for trial in chosen:
        yield from _tried("Speed", trial.name, speeds(trial, study.solver, device, threads))


def _numbers(trial: Trial, study: Study, device: torch.device, folder: Path, threads: int) -> Iterator[Finding]:
    prepare_device(study.machine, threads)
    yield from agreement(trial, device)
    prepare_device(study.machine, threads, study.solver.precision)
    yield from repetition(trial, study.solver, device, folder)


def _tried(section: str, name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Findings up to an error, which is the last of them."""
    try:
        yield from findings
    except (RuntimeError, OSError) as error:
        first = str(error).partition("\n")[0]
        yield Finding(section=section, name=name, value="fails", remedy=f"see why {name} fails: {first}")
