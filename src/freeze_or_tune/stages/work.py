"""Training on one's own images: where it starts, on which of them, and with what."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.records.probes import Profile
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Machine, TrainingSettings
from freeze_or_tune.study.solver import Candidate


@dataclass(frozen=True)
class Start:
    """A source: its weights, and the images at the size of its network."""

    store: Path
    weights: Path


def suited(settings: TrainingSettings, profile: Profile) -> TrainingSettings:
    """Mirror training images only where mirrored ones are of the same classes."""
    solver = settings.solver
    mirror = solver.mirror and profile.symmetric
    return settings.model_copy(update={"solver": solver.model_copy(update={"mirror": mirror})})


def favourites(settings: TrainingSettings, right: Mapping[Candidate, float], images: int) -> tuple[Candidate, ...]:
    """Of a search, by on how many of so many images each was right: the best first, and what cannot be told from it.

    Those that lie within two standard errors of its accuracy; the solver's own, if there was nothing to choose.
    """
    if not right:
        return settings.solver.candidates(Scheme.parse(settings.scheme))[:1]
    ordered = sorted(right, key=lambda candidate: -right[candidate])
    best = right[ordered[0]] / images
    error = max(math.sqrt(best * (1 - best) / images), 1 / images)
    return tuple(one for one in ordered if best - right[one] / images <= 2 * error)


@dataclass(frozen=True)
class Work:
    """What all trainings of a stage have in common."""

    split: Path
    start: Start
    machine: Machine
    threads: int
    memory_mb: float

    def train(
        self, settings: TrainingSettings, result: Path, model: Path | None = None, among: Sequence[Candidate] = ()
    ) -> Experiment:
        """The experiment, kept at `result`, and its network at `model` if it is asked for (run_experiment)."""
        run_experiment(
            settings, self.start.store, self.split, self.start.weights, result, self.machine, self.threads,
            self.memory_mb, model=model, among=among,
        )  # fmt: skip
        return Experiment.read(result)
