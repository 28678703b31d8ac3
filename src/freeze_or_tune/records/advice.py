"""What the stages of the advice for one's own images write: typed, like all results (records.py)."""

from typing import Literal

from pydantic import Field

from freeze_or_tune.records.experiment import Accuracy, Experiment, Record
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.levels import Level

Kind = Literal[
    "unreadable", "ignored", "links", "copies", "contradictions", "small", "imbalance", "validation", "test"
]  # fmt: skip
Counsel = Literal["Freeze", "Tune", "Try both"]


class Finding(Record):
    """Something about the images that their owner should know."""

    kind: Kind
    words: str = Field(description="what was found, and what was done about it")
    count: int
    examples: tuple[str, ...] = Field((), description="the first few, as Python prints them: a name may hold anything")

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.words}: {self.count:,}" + (f", such as {', '.join(self.examples)}" if self.examples else "")


class Check(Record):
    """results/advice/<dataset>/check.json: what there is, and what of it is used."""

    dataset: str
    images: int = Field(description="listed")
    classes: int
    used_images: int
    used_classes: int
    train: int
    val: int
    test: int
    smallest: int = Field(description="training images of the smallest class that is used")
    typical: int = Field(description="median of the classes' training images: the advice's images a class")
    largest: int
    findings: tuple[Finding, ...]


class Forecast(Record):
    """Tuned over frozen accuracy as a regression on experiments foresees it."""

    ratio: float
    low: float = Field(description="of the interval that should hold the ratio with the given confidence")
    high: float
    confidence: float
    formula: str
    pairs: int = Field(description="pairs of experiments that it was fitted to")
    targets: int
    typical_error: float = Field(description="of targets left out of the fit, as a factor: 1.1 is 10 % off")


class Advice(Record):
    """results/advice/<dataset>.json."""

    dataset: str
    source: str = Field(description="the nearest of the study's sources")
    distances: dict[str, float] = Field(description="cosine distance to each source")
    estimated: tuple[str, ...] = Field(description="sources whose mean features are an estimate, their images not here")
    distance_level: Level
    images_a_class: int
    data_level: Level
    advice: Counsel
    schemes: tuple[str, ...] = Field(description="to train; of two, validation decides")
    paper: Counsel
    experiments: Counsel | None = Field(
        description="Table 3 of this installation's experiments; None: it has none there"
    )
    forecast: Forecast | None
    no_forecast: str = Field("", description="why there is no forecast")
    warnings: tuple[str, ...]
    evidence: tuple[str, ...] = Field(description="the tables of experiments")
    check: Check


class Candidate(Record):
    """A scheme that was trained for a model."""

    scheme: str
    val_accuracy: Accuracy
    test_accuracy: Accuracy
    chosen: bool


class Use(Record):
    """In the header of model.safetensors: what it takes to classify an image with it."""

    dataset: str
    source: str
    scheme: str
    labels: tuple[str, ...] = Field(description="of the outputs, in their order")
    network: Network
    test_accuracy: Accuracy
    preprocessing: str = Field(description="in words, for those who use the weights with other software")


class Model(Record):
    """results/advice/<dataset>/model.json: how a model came about and how good it is."""

    dataset: str
    labels: tuple[str, ...]
    advice: Counsel
    candidates: tuple[Candidate, ...]
    experiment: Experiment = Field(description="the chosen scheme's")
    low: Accuracy = Field(description="Wilson's 95 % interval of the test accuracy")
    high: Accuracy
    confusion: tuple[tuple[int, ...], ...] = Field(description="test images by class, a row, and answer, a column")
