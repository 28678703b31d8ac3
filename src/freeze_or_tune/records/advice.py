"""What is found in one's own images, and what is advised for them."""

from typing import Literal

from pydantic import Field

from freeze_or_tune.records.findings import Finding
from freeze_or_tune.records.probes import Profile
from freeze_or_tune.records.race import Race
from freeze_or_tune.records.record import Record
from freeze_or_tune.study.levels import Level

Counsel = Literal["Freeze", "Tune", "Try both", "Freeze some"]
"""Of all copied blocks, or (after a race) of the first of them."""


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
    groups: int = Field(0, description="of the images that are used, given or of near copies: each lies in one subset")
    near_copies: int = Field(0, description="images that are used and nearly equal another one of their class")
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
    typical_error: float = Field(description="for datasets left out of the fit, as a factor: 1.1 is 10 % off")


class Advice(Record):
    """results/advice/<dataset>.json."""

    dataset: str
    source: str = Field(description="whose features tell these images apart best")
    profiles: tuple[Profile, ...] = Field(description="a probe of each block of each source, the most telling first")
    distances: dict[str, float] = Field(description="cosine distance to each source to which it can be measured")
    estimated: tuple[str, ...] = Field(description="sources whose mean features are an estimate, their images not here")
    distance_level: Level | None = Field(description="None: there is no distance")
    images_a_class: int
    data_level: Level
    race: Race | None = Field(description="None: none was asked for")
    advice: Counsel
    schemes: tuple[str, ...] = Field(description="to train; of two, validation decides")
    paper: Counsel | None = Field(description="the paper's Table 3; None: there is no distance")
    experiments: Counsel | None = Field(description="Table 3 of the experiments; None: it has none there")
    forecast: Forecast | None
    no_forecast: str = Field("", description="why there is no forecast")
    warnings: tuple[str, ...]
    evidence: tuple[str, ...] = Field(description="the tables of experiments")
    check: Check

    @property
    def measured(self) -> Race | None:
        """The race, if schemes were trained in it."""
        return self.race if self.race is not None and self.race.winner else None
