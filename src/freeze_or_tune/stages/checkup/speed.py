"""How fast a device trains, by precision and memory layout, and which lines of a config make it fastest."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import torch

from freeze_or_tune.records.checkup import Finding
from freeze_or_tune.stages.checkup.trials import Trial, schemes
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.study.solver import Precision, Solver
from freeze_or_tune.training.device import computing_in, prepare_device
from freeze_or_tune.training.learners import Replicas
from freeze_or_tune.training.solver import optimiser_of

_SECONDS = 0.5
"""That each way is measured for, after steps that are not."""
_SLOW = 2.0
"""Seconds of the first steps that are enough to go by."""
_STEP = 0.25
"""Seconds that a step on a CPU may take as the study has it: batches are smaller where it would take longer."""
_TOGETHER = 10
"""Steps of a GPU between two looks at the clock: training, too, does not wait for each of them."""
_LEVEL = 0.97
"""Of the fastest speed: what a study has is kept if it comes as near."""


class Way(NamedTuple):
    """How a device computes."""

    precision: Precision
    channels_last: bool

    def __str__(self) -> str:
        """In a few words."""
        return f"{self.precision}{', channels last' if self.channels_last else ''}"

    @property
    def config(self) -> str:
        """The lines of a study that ask for it."""
        return f"machine: {{channels_last: {str(self.channels_last).lower()}}}, solver: {{precision: {self.precision}}}"


def speeds(trial: Trial, solver: Solver, device: torch.device, threads: int) -> Iterator[Finding]:
    """Images a second of steps that tune all copied blocks, each way; then the config of the fastest."""
    own, found, batch = Way(solver.precision, trial.channels_last), dict[Way, float](), solver.batch
    unit = "images/s"
    if device.type == "cpu":
        unit += " a core"
        batch = min(batch, max(2, round(_STEP * images_per_second(trial, own, 2, device, threads))))
    for way in ways(device):
        found[way] = images_per_second(trial, way, batch, device, threads)
        told = f"{found[way]:,.{0 if found[way] > 10 else 1}f} {unit} in batches of {batch}"
        told += ", as the study has it" * (way == own)
        yield Finding(section="Speed", name=f"{trial.name}, {way}", value=told)
    yield Finding(section="Speed", name=f"{trial.name}, fastest", value=fastest(found, own).config)


def ways(device: torch.device) -> list[Way]:
    """What the device has hardware for: TF32 and bfloat16 came with compute capability 8.0."""
    precisions: list[Precision] = ["fp32", "bf16"]
    if device.type == "cuda":
        precisions = ["fp32", "tf32", "bf16"] if torch.cuda.get_device_capability(device) >= (8, 0) else ["fp32"]
    return [Way(precision, last) for precision, last in product(precisions, (False, True))]


def fastest(found: dict[Way, float], own: Way) -> Way:
    """The fastest way, but the study's own if it is as fast within the noise."""
    best = max(found, key=lambda way: found[way])
    return own if found.get(own, 0) >= _LEVEL * found[best] else best


def images_per_second(trial: Trial, way: Way, batch: int, device: torch.device, threads: int) -> float:
    """Of training steps, from the crops on; on CPUs in a core's own time, in which other work does not show."""
    prepare_device(Machine(device="cuda" if device.type == "cuda" else "cpu"), threads, way.precision)
    trial = replace(trial, channels_last=way.channels_last)
    scheme, solver = next(iter(schemes(trial.network.blocks))), Solver(learning_rate=1e-6)
    learner = Replicas([trial.made(device)], scheme, solver)
    optimiser = optimiser_of(learner.parameters(0, solver.candidates(scheme)[0]), solver, iterations=10**6)
    learner.train()
    views, labels = trial.views(batch, device)

    def steps(count: int) -> None:
        for _ in range(count):
            learner.losses(views, labels, 0, [0])
            optimiser.step(0, learner.gradients(0))
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    together, clock = (_TOGETHER, time.perf_counter) if device.type == "cuda" else (1, time.process_time)
    done = 0
    with computing_in(way.precision, device):
        start = clock()
        steps(together)  # they allocate, and choose algorithms
        if (seconds := clock() - start) > _SLOW:
            return batch * together / seconds
        start = clock()
        while (seconds := clock() - start) < _SECONDS:
            steps(together)
            done += together
    return batch * done / seconds
