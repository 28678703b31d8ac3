"""What an experiment leaves: its settings, and how each of its runs went."""

from typing import Self

from pydantic import Field, model_validator

from freeze_or_tune.records.correctness import check
from freeze_or_tune.records.record import Accuracy, Record
from freeze_or_tune.study.settings import TrainingSettings


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


class Run(Record):
    """One seed of an experiment."""

    run: int
    seed: int
    val_accuracy: Accuracy = Field(description="at the best iteration")
    test_accuracy: Accuracy = Field(description="at the best iteration on validation; the test set is used once")
    mean_class_accuracy: Accuracy = Field(description="mean over classes of the test accuracy")
    iterations: int
    best_iteration: int
    correct: str = Field(description="which test images are right, in the order of the split (correctness.py)")
    curve: tuple[CurvePoint, ...]
    performance: Performance


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

    @model_validator(mode="after")
    def _check(self) -> Self:
        for run in self.runs:
            try:
                check(run.correct, self.test_images, run.test_accuracy)
            except ValueError as problem:
                raise ValueError(f"correct of run {run.run}: {problem}") from None
        return self
