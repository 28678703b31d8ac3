"""What the page holds, typed: numbers of experiments.csv, curves of the experiments' records, pictures of datasets."""

import math

from pydantic import BaseModel, ConfigDict

from freeze_or_tune.analysis.show.style import Look


class Content(BaseModel):
    """A part of the page."""

    model_config = ConfigDict(frozen=True)


def known(value: float) -> float | None:
    """The value, or None for one that was not measured or is infinite: JSON has neither."""
    return float(value) if math.isfinite(value) else None


class Curve(Content):
    """The learning curve of one run."""

    iterations: tuple[int, ...]
    loss: tuple[float, ...]
    val_accuracy: tuple[float, ...]
    best_iteration: int


class Shown(Content):
    """An experiment as the page shows it: test accuracies, one a run, their mean and its 95 % interval."""

    target: str
    n: int
    scheme: str
    label: str
    mode: str
    depth: int
    frozen: int | None
    distance_level: str
    data_level: str
    cosine: float | None
    chance: float
    mean: float
    low: float
    high: float
    accuracies: tuple[float, ...]
    path: str
    curves: tuple[Curve, ...]


class Pair(Content):
    """A tuned and a frozen experiment with everything else the same, by their places in the list."""

    tuned: int
    frozen: int
    ratio: float
    low: float | None
    high: float | None


class View(Content):
    """What the page shows under one protocol."""

    experiments: tuple[Shown, ...]
    pairs: tuple[Pair, ...]


class Looks(Content):
    """Colours and markers of the figures."""

    distance: dict[str, Look]
    data: dict[str, Look]
    depths: tuple[Look, ...]
    scratch: Look


class Explorable(Content):
    """What the page's scripts draw and filter."""

    targets: tuple[str, ...]
    """From near to far."""
    schemes: dict[str, str]
    """Notation of paths to the paper's notation, in the order of the legend."""
    views: dict[str, View]
    """By protocol; the same experiments in the same order in each."""
    between: bool
    """Whether there are schemes that freeze some of what they copy and tune the rest."""
    command: str
    """What runs an experiment again, but for -f and its path."""
    looks: Looks
    distance_labels: dict[str, str]
    data_labels: dict[str, str]


class Cell(Content):
    """A cell of table 3."""

    distance: str
    data: str
    advice: str
    pairs: int
    targets: int
    mean: float | None
    low: float | None
    high: float | None
    paper: str
    agrees: str


class Answer(Content):
    """What all pairs say together: of how many the 95 % interval lies above 1 or below, and the geometric mean."""

    pairs: int
    tuned_better: int
    frozen_better: int
    mean: float | None


class Glance(Content):
    """The study in a few words."""

    study: str
    date: str
    settings: str
    """Hash of the settings of all experiments."""
    versions: tuple[str, ...]
    """Of what trained the networks."""
    over: str
    """What intervals are over: runs, or test images only."""
    targets: int
    splits: int
    experiments: int
    runs: str
    training: str


class Use(Content):
    """A target that a dataset is, with its distances to the source."""

    target: str
    source: str
    cosine: float | None
    estimated: bool
    """Whether the mean of the source is an estimate, because its images were not there."""
    level: str
    distances: dict[str, str]


class Images(Content):
    """A dataset with its contact sheet."""

    dataset: str
    sheet: str | None
    """As a data: address."""
    source_of: tuple[str, ...]
    uses: tuple[Use, ...]


class Verdict(Content):
    """What a study says under one protocol."""

    protocol: str
    answer: Answer
    cells: tuple[Cell, ...]


class Page(Content):
    """Everything."""

    glance: Glance
    verdicts: tuple[Verdict, ...]
    unconverged: tuple[str, ...]
    """Experiments with runs that ended too early, or learnt nothing, and what hints at it."""
    datasets: tuple[Images, ...]
    explorable: Explorable
