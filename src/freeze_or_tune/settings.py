"""The parts of a study, and what determines a result, as typed models. Pure Python, like `study.py`."""

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from freeze_or_tune.backbones import Network
from freeze_or_tune.hashing import stable_digest
from freeze_or_tune.schemes import Scheme
from freeze_or_tune.strict import Strict

Metric = Literal["cosine", "mmd", "svm", "cnn"]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")]
"""Names stand in paths and job names: letters, digits, dots and dashes."""


def _notation(text: str) -> str:
    return str(Scheme.parse(text))


Notation = Annotated[str, AfterValidator(_notation)]


class Solver(Strict):
    """Caffe's SGD with a step schedule (facts of the reference solver: docs/deviations.md)."""

    learning_rate: PositiveFloat = Field(0.01, description="rate of randomly initialised layers")
    copied_rate: NonNegativeFloat = Field(
        0.2, description="rate of copied, tuned layers relative to new ones (the paper: 0.2)"
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NonNegativeFloat = 0.0005
    batch: PositiveInt = Field(50, description="images an iteration")
    epochs: PositiveInt = Field(20, description="passes over the training images, within the two bounds below")
    min_iterations: PositiveInt = Field(200, description="small splits train at least this long")
    max_iterations: PositiveInt = Field(400, description="large splits train at most this long")
    drops: tuple[Fraction, ...] = Field((0.7, 0.9), description="the rate drops after these fractions of the run")
    gamma: Fraction = Field(0.1, description="factor of each drop")
    evaluations: PositiveInt = Field(
        10, description="how often validation accuracy is measured; the best iteration is kept"
    )
    mirror: bool = Field(True, description="mirror half of the training crops")
    views: NonNegativeInt = Field(
        8, description="augmented views an image whose frozen prefix is cached; 0 computes the prefix anew each time"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_iterations > self.max_iterations:
            raise ValueError(f"min_iterations {self.min_iterations} is more than max_iterations {self.max_iterations}")
        if list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"drops {list(self.drops)} must rise")
        return self

    def iterations(self, images: int) -> int:
        """How many iterations a run on so many training images takes."""
        wanted = -(-images * self.epochs // self.batch)
        return min(max(wanted, self.min_iterations), self.max_iterations)


class Sizes(Strict):
    """How many images a class a source or a target validates and tests on, and which classes take part."""

    val: PositiveInt = Field(description="validation images a class, the same in all splits")
    test: PositiveInt | Literal["official", "rest"] = Field(
        description="test images a class, the same in all splits; official: the dataset's own test set, and all else "
        "comes from its training set; rest: all that neither trains, at the largest n, nor validates"
    )
    up_to: bool = Field(False, description="a class with fewer than n images left trains on those it has")
    classes: Literal["all", "enough"] = Field(
        "all", description="enough: only classes with images enough for the largest split"
    )

    @model_validator(mode="after")
    def _check_rest(self) -> Self:
        if self.test == "rest" and self.up_to:
            raise ValueError("test: rest leaves nothing to classes that train on all they have (up_to); choose one")
        return self

    def split(self, dataset: str, seed: int, n: int, largest: int) -> "SplitSettings":
        """What determines the split of n images a class, of which `largest` is the largest."""
        official, rest = self.test == "official", self.test == "rest"
        test = self.test if isinstance(self.test, int) else 0
        return SplitSettings(
            dataset=dataset, seed=seed, n=n, val=self.val, test=test,
            pool="official" if official else "rest" if rest else "all", up_to=self.up_to,
            enough=largest + self.val + test if self.classes == "enough" else 0, largest=largest if rest else 0,
        )  # fmt: skip


class Pretraining(Sizes):
    """Training of a source network from random values on its own dataset."""

    n: PositiveInt = Field(description="training images a class")
    solver: Solver = Solver()


class Source(Strict):
    """A network and the data it was trained on."""

    dataset: str
    network: str
    pretraining: Pretraining


class Target(Sizes):
    """A dataset adapted to from one source, in splits of n images a class."""

    dataset: str
    source: str
    n: tuple[PositiveInt, ...] = Field(min_length=1, description="training images a class of each split")
    schemes: tuple[Notation, ...] | None = Field(None, description="schemes of this target, if not the study's")


class SvmSettings(Strict):
    """The linear SVM that tells source from target by their features."""

    samples: PositiveInt = Field(1000, description="images of each side at most; half of them are held out")
    c: PositiveFloat = Field(0.01, description="C of the SVM on standardised features")


class CnnSettings(Strict):
    """The small CNN that tells source from target by their pixels."""

    samples: PositiveInt = Field(1000, description="images of each side at most; half of them are held out")
    iterations: PositiveInt = 300
    batch: PositiveInt = 100
    learning_rate: PositiveFloat = 0.001
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NonNegativeFloat = 0.004


class Distances(Strict):
    """How the distance between source and target is measured (section 3.1)."""

    metrics: tuple[Metric, ...] = ("cosine", "mmd", "svm", "cnn")
    svm: SvmSettings = SvmSettings()
    cnn: CnnSettings = CnnSettings()


class Machine(Strict):
    """How to run: nothing here determines a result."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU if there is one")
    checkpoint_seconds: PositiveFloat = Field(
        300, description="how often a run saves what it needs to go on from there"
    )


class SplitSettings(Strict):
    """Everything that determines one split."""

    dataset: str
    seed: int
    n: int
    val: int
    test: int
    pool: Literal["all", "official", "rest"] = "all"
    up_to: bool = False
    enough: int = 0
    largest: int = 0

    @property
    def least(self) -> int:
        """Images that each class must have, if all take part."""
        train = 1 if self.up_to else max(self.n, self.largest)
        return train + self.val + (self.test if self.pool == "all" else 1)


class TrainingSettings(Strict):
    """Everything that determines the runs of one experiment (or of a pretraining)."""

    study: str
    target: str
    dataset: str
    source: str
    network: Network
    split: SplitSettings
    scheme: str
    seed: int
    runs: int
    solver: Solver

    @property
    def digest(self) -> str:
        """A short hash of all settings: results with different ones are never mixed."""
        return stable_digest(self.model_dump(mode="json"))[:16]
