"""What an experiment leaves: its settings, and how each of its runs went."""

import math
from typing import Self

from pydantic import Field, model_validator

from freeze_or_tune.records.correctness import check
from freeze_or_tune.records.record import Accuracy, Record
from freeze_or_tune.study.settings import TrainingSettings
from freeze_or_tune.study.solver import Candidate, Method

FALLING = 0.2
"""A training loss that falls by so much of itself from the last look but one to the last has not settled, ..."""
MUCH = 0.02
"""... if it is so much of chance's loss, ln(classes): what has all but vanished may go on to vanish."""


class CurvePoint(Record):
    """One evaluation while training."""

    iteration: int
    loss: float = Field(description="mean training loss since the last evaluation")
    val_accuracy: Accuracy


class Performance(Record):
    """What a run cost; the only part of a result that differs when it is repeated."""

    seconds: float
    images_per_second: float
    peak_memory_mb: float
    device: str
    threads: int


class Tested(Record):
    """What came out of training, measured once."""

    val_accuracy: Accuracy = Field(description="at the best iteration")
    test_accuracy: Accuracy = Field(description="at the best iteration on validation")
    mean_class_accuracy: Accuracy = Field(description="mean over classes of the test accuracy")
    correct: str = Field(description="which test images are right, in the order of the split (correctness.py)")


class Varied(Record):
    """What distinguishes a candidate of a search."""

    learning_rate: float | None = Field(description="null: solved at once")
    weight_decay: float | None
    copied_rate: float | None = Field(None, description="of copied layers relative to new ones; null: they are frozen")
    c: float | None = Field(None, description="of a logistic regression")
    method: Method | None = Field(
        None, description="if it is not the solver's own", exclude_if=lambda value: value is None
    )

    @classmethod
    def of(cls, candidate: Candidate) -> Self:
        """Write a candidate down."""
        return cls(**candidate._asdict())

    @property
    def candidate(self) -> Candidate:
        """The same for the solver."""
        return Candidate(**{name: getattr(self, name) for name in Candidate._fields})


class Tried(Varied, Tested):
    """A candidate of a search, and how it went."""

    val_loss: float | None = Field(description="cross-entropy at the best iteration; null: infinite")
    iterations: int = Field(description="fewer than the run's if it was stopped on the way")
    best_iteration: int
    curve: tuple[CurvePoint, ...]

    @property
    def rank(self) -> tuple[float, float]:
        """The larger the better: validation accuracy, then the lowest validation loss; an infinite loss comes last."""
        return (-1.0, -math.inf) if self.val_loss is None else (self.val_accuracy, -self.val_loss)


class Run(Tested):
    """One seed of an experiment: of a search the candidate that is best on validation."""

    run: int
    seed: int
    iterations: int
    best_iteration: int
    curve: tuple[CurvePoint, ...]
    performance: Performance
    candidates: tuple[Tried, ...] = Field(
        (), description="of a search: first the solver's own, then the grid", exclude_if=lambda value: not value
    )
    average: Tested | None = Field(
        None, description="the mean of the probabilities of the candidates that validation cannot tell from the best",
        exclude_if=lambda value: value is None,
    )  # fmt: skip

    def unconverged(self, classes: int, val_images: int) -> tuple[str, ...]:
        """What hints at a run that ended too early, or learnt nothing; empty if nothing does."""
        *before, last = self.curve
        chance = 1 / classes
        least = chance + 2 * math.sqrt(chance * (1 - chance) / val_images)
        hints = {
            "loss still falling": bool(before)
            and before[-1].loss - last.loss > max(FALLING * before[-1].loss, MUCH * math.log(classes)),
            "best at the last look": bool(before) and all(point.val_accuracy < last.val_accuracy for point in before),
            "at chance": self.val_accuracy <= least,
        }
        return tuple(hint for hint, found in hints.items() if found)


class Experiment(Record):
    """results/experiments/<target>/n<k>/<scheme>.json."""

    settings: TrainingSettings
    digest: str = Field(description="hash of the settings")
    classes: int
    train_images: int
    val_images: int
    test_images: int
    versions: dict[str, str]
    runs: tuple[Run, ...] = Field(min_length=1)

    def unconverged(self) -> dict[int, tuple[str, ...]]:
        """By run, what hints at one that ended too early, or learnt nothing."""
        hints = {run.run: run.unconverged(self.classes, self.val_images) for run in self.runs}
        return {run: found for run, found in hints.items() if found}

    @model_validator(mode="after")
    def _check(self) -> Self:
        for run in self.runs:
            for part in (run, *run.candidates, *([run.average] if run.average else [])):
                try:
                    check(part.correct, self.test_images, part.test_accuracy)
                except ValueError as problem:
                    raise ValueError(f"correct of run {run.run}: {problem}") from None
        return self
