"""The model that advice leads to: what it is, and what it takes to use it."""

from pydantic import Field

from freeze_or_tune.records.advice import Counsel
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.records.record import Accuracy, Record
from freeze_or_tune.study.backbones import Network


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
