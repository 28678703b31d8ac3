"""The results that stages write as JSON and the analysis reads: typed, so that a damaged file is never plotted."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from freeze_or_tune.records.correctness import check
from freeze_or_tune.study.settings import Metric, TrainingSettings
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import write_text

Accuracy = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    """A result file: written whole or not at all, checked when read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def write(self, path: Path | str) -> None:
        """Write as indented JSON, atomically."""
        write_text(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read and check; UserError if the file is not a whole, valid result."""
        try:
            return cls.model_validate_json(Path(path).read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise UserError(
                f"{path} is not a complete {cls.__name__.lower()} result ({where}: {first['msg']}); "
                "delete it and run snakemake again"
            ) from None


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


class Tally(Record):
    """One subset of a split; numbers are images a class unless they say otherwise."""

    asked: int | None = Field(description="None: all there are (an official test set, or the rest)")
    available: int = Field(description="what the smallest class in use holds, for all subsets that draw from the same")
    fewest: int
    most: int
    images: int = Field(description="of all classes")


class SplitTally(Record):
    """results/splits/<target>/n<k>.json: what a split asked for, what there was, and what it got."""

    classes_available: int
    classes_used: int
    train: Tally
    val: Tally
    test: Tally


class Distance(Record):
    """results/distances/<target>/<metric>.json."""

    metric: Metric
    source: str
    target: str
    value: float = Field(description="cosine in [0, 1], mmd >= 0; svm and cnn: held-out accuracy in [0, 1]")
    standard_error: float | None = Field(None, description="of a held-out accuracy")
    source_images: int
    target_images: int
    estimated: bool = Field(False, description="the source's mean is no measured one, but of batch norm's statistics")


class MeanFeatures(Record):
    """results/features/<source>/<dataset>.json: the mean of a dataset's features."""

    images: int = Field(ge=0, description="how many it is the mean of; 0 if it is estimated")
    mean: tuple[float, ...]
    estimated: bool = Field(False, description="from the statistics of batch norms, where the images are not here")


class Origin(Record):
    """A file of others."""

    file: str
    sha256: str
    address: str | None = Field(description="url or page of its row in config/downloads.csv, if it has one")
    licence: str | None


class ImportedNetwork(Record):
    """results/networks/<source>.json of a source whose weights others have trained."""

    source: str
    format: str = Field(description="suffix of the file: caffemodel, onnx, pth, safetensors, whl or zip")
    classes: int
    parameters: int = Field(description="how many numbers (CaffeNet: 60,965,224)")
    weights: Origin
    mean: Origin | None = Field(None, description="CaffeNet's; timm's networks have one number a channel")
