"""The model that advice leads to: what it is, and what it takes to use it."""

from pydantic import Field

from freeze_or_tune.records.advice import Counsel
from freeze_or_tune.records.decoding import CAFFE, Decoding
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.records.record import Accuracy, Record
from freeze_or_tune.study.backbones import Network


class Trial(Record):
    """A scheme that was trained for a model, on the images that train."""

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
    decoding: Decoding = Field(CAFFE, description="how a file becomes pixels of 8 bits, as it did in training")
    preprocessing: str = Field(description="in words, for those who use the weights with other software")


class Model(Record):
    """results/advice/<dataset>/model.json: how a model came about and how good it is."""

    dataset: str
    labels: tuple[str, ...]
    advice: Counsel
    trials: tuple[Trial, ...] = Field(description="none after a race, which has tried them all")
    experiment: Experiment = Field(description="the chosen scheme, trained on all but the test images")
    averaged: int = Field(description="of how many candidates of a frozen scheme the classifier is the mean")
    accuracy: Accuracy = Field(description="on the test images")
    low: Accuracy = Field(description="Wilson's 95 % interval of it")
    high: Accuracy
    temperature: float = Field(description="by which the classifier's outputs are divided, found on validation")
    calibration_error: Accuracy = Field(description="expected, over test images in bins of confidence")
    uncalibrated_error: Accuracy = Field(description="the same at a temperature of 1")
    confusion: tuple[tuple[int, ...], ...] = Field(description="test images by class, a row, and answer, a column")
