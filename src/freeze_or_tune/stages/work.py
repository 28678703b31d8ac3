"""Training on one's own images: where it starts, on which of them, and with what."""

from dataclasses import dataclass
from pathlib import Path

from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.records.probes import Profile
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.study.settings import Machine, TrainingSettings


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


@dataclass(frozen=True)
class Work:
    """What all trainings of a stage have in common."""

    split: Path
    start: Start
    machine: Machine
    threads: int
    memory_mb: float

    def train(self, settings: TrainingSettings, result: Path, model: Path | None = None) -> Experiment:
        """The experiment, kept at `result`, and its network at `model` if it is asked for."""
        run_experiment(
            settings, self.start.store, self.split, self.start.weights, result, self.machine, self.threads,
            self.memory_mb, model=model,
        )  # fmt: skip
        return Experiment.read(result)
