"""How the files of a dataset become pixels of eight bits: one way for all, in training and in `predict` alike."""

from typing import Literal

from pydantic import Field

from freeze_or_tune.records.findings import Finding
from freeze_or_tune.records.record import Record

Orientation = Literal["exif", "stored"]
Range = tuple[float, float]
"""What is black, and what is white."""


class Decoding(Record):
    """As it stands, Caffe's way: pixels as stored, of sixteen bits the upper eight, no real numbers."""

    orientation: Orientation = Field("stored", description="exif: turned as the camera noted and viewers show it")
    integers: Range | None = Field(None, description="black and white of integers of more than 8 bits")
    reals: Range | None = Field(None, description="black and white of real numbers")


CAFFE = Decoding()


class Stored(Record):
    """Beside a store, as .json: how its images were decoded, and what was noticed while they were."""

    decoding: Decoding
    findings: tuple[Finding, ...] = ()
