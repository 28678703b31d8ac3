"""The parts of a study, and what determines a result, as typed models. Pure Python, like `study.py`."""

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Tag,
    model_validator,
)

from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.metrics import METRICS, Metric
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.study.strict import Strict
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.hashing import stable_digest

Share = Annotated[float, Field(gt=0, le=0.4)]
"""Of a class's images; two of them always leave some to train on."""
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[str, Field(pattern=NAME)]
"""Names stand in paths and job names: letters, digits, dots, dashes and underscores, which timm's names have."""


def _notation(text: str) -> str:
    return str(Scheme.parse(text))


Notation = Annotated[str, AfterValidator(_notation)]


class Sizes(Strict):
    """How many images a class a source or a target validates and tests on, and which classes take part."""

    val: PositiveInt = Field(description="validation images a class, the same in all splits")
    test: PositiveInt | Literal["official", "rest"] = Field(
        description="test images a class, the same in all splits; official: the dataset's own test set, and all else "
        "comes from its training set (validation images from its own validation set, if it has one); rest: all that "
        "neither trains, at the largest n, nor validates"
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

    def draw(self, dataset: str, seed: int, n: int, largest: int) -> "SplitSettings":
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

    @model_validator(mode="after")
    def _check_search(self) -> Self:
        if self.solver.search is not None:
            raise ValueError("solver.search: a source is trained at one rate; search in the study's solver")
        return self


class Weights(Strict):
    """Weights that others have trained, in files from the directory you start snakemake in."""

    file: str = Field(
        description="CaffeNet's weights: a .caffemodel or an .onnx; a timm network's: a state dict in a .pth or a "
        ".safetensors, or a .whl or .zip that holds one"
    )
    mean: str | None = Field(
        None, description="CaffeNet: the mean image they were trained with, Caffe's .npy or .binaryproto"
    )
    by_order: bool = Field(False, description="timm: the file has the network's tensors in order, under other names")


def _kind_of_weights(value: object) -> str | None:
    return "timm's" if value == "pretrained" else "files" if isinstance(value, dict | Weights) else None


Pretrained = Literal["pretrained"]
"""timm's own weights of the network's name, fetched from the Hub."""
AnyWeights = Annotated[
    Annotated[Weights, Tag("files")] | Annotated[Pretrained, Tag("timm's")],
    Discriminator(
        _kind_of_weights,
        custom_error_type="weights",
        custom_error_message="weights are `pretrained` (timm's own of the network's name) or files, { file: ... }",
    ),
]


class Source(Strict):
    """A network and the data it was trained on: weights of others, or pretrained here.

    Without the data, distances are to its mean features from a file, or estimated from batch norm's statistics.
    """

    dataset: str | None = Field(None, description="the images it was trained on; weights of others go without, too")
    network: str = Field(description="a name from `networks`, or timm's name of one, e.g. resnet50.a1_in1k")
    weights: AnyWeights | None = Field(
        None, description="files of others; or pretrained: timm's own weights of the network's name"
    )
    pretraining: Pretraining | None = None
    sample: PositiveInt | None = Field(
        None, description="training images a class that stand for the source in distances; without it, all stored ones"
    )

    mean_features: str | None = Field(
        None, description="where its images are not here: their mean features, made by `mean-features` where they are"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.dataset and self.mean_features:
            raise ValueError("mean_features are measured here where there is a dataset; leave one of the two out")
        if (self.weights is None) == (self.pretraining is None):
            raise ValueError("a source has either weights (of others) or pretraining (from random values)")
        if self.dataset is None and (self.pretraining or self.sample):
            raise ValueError("dataset is missing: pretraining and sample are about its images")
        if self.weights and self.dataset and not self.sample:
            raise ValueError("sample is missing: a source with weights of others must say how many images a class")
        if self.pretraining and self.sample and self.sample > self.pretraining.n:
            raise ValueError(f"sample {self.sample} is more than the {self.pretraining.n} images of pretraining.n")
        return self

    @property
    def pretrained(self) -> bool:
        """Whether its weights are timm's own, which are fetched."""
        return self.weights == "pretrained"

    @property
    def n(self) -> tuple[int, ...]:
        """Training images a class of each of its splits: the one it is pretrained on, and the sample."""
        pretrained = self.pretraining.n if self.pretraining else None
        return tuple(sorted({n for n in (self.sample, pretrained) if n}))

    def split(self, seed: int, n: int) -> "SplitSettings":
        """Settings of its split of n images a class; the sample is nested in the pretraining split."""
        if self.dataset is None:
            raise UserError("a source without a dataset has no splits")
        if self.pretraining:
            return self.pretraining.draw(self.dataset, seed, n, self.pretraining.n)
        return SplitSettings(dataset=self.dataset, seed=seed, n=n, val=0, test=0)


class Target(Sizes):
    """A dataset adapted to from one source, in splits of n images a class."""

    dataset: str
    source: str
    n: tuple[PositiveInt, ...] = Field(min_length=1, description="training images a class of each split")
    schemes: tuple[Notation, ...] | None = Field(None, description="schemes of this target, if not the study's")

    def split(self, seed: int, n: int) -> "SplitSettings":
        """Settings of its split of n images a class."""
        return self.draw(self.dataset, seed, n, max(self.n))


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

    metrics: tuple[Metric, ...] = tuple(METRICS)
    svm: SvmSettings = SvmSettings()
    cnn: CnnSettings = CnnSettings()


class Advising(Strict):
    """How the advice for one's own images is drawn up (docs/advice.md)."""

    evidence: tuple[str, ...] = Field(
        (),
        description="tables of experiments that a forecast learns from, this study's experiments.csv among others; "
        "without them, the table that ships with the package",
    )
    sources: tuple[Name, ...] | None = Field(
        None, min_length=1, description="sources that are weighed; without it, all of the study"
    )
    solver: Solver | None = Field(None, description="what trains on one's own images; without it, the study's solver")
    margin: Share = Field(
        0.02, description="how much better in accuracy a dearer scheme must be to be worth its price; 0.02: two points"
    )
    val: Share = Field(0.2, description="share of each class that validates")
    test: Share = Field(0.2, description="share of each class that tests")
    most: PositiveInt = Field(100, description="validation and test images a class are at most so many")
    near_copies: bool = Field(
        True,
        description="look for images that nearly equal others, and keep them on one side; false: for equal ones only",
    )


class Machine(Strict):
    """How to run: nothing here determines a result, beyond the last bits of its sums."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU if there is one")
    checkpoint_seconds: PositiveFloat = Field(
        300, description="how often a run saves what it needs to go on from there"
    )
    memory_mb: NonNegativeFloat | None = Field(
        None,
        description="memory for images and cached activations, beyond which they are read from disk; by default what "
        "the network leaves of the GPU's, or half of the memory that the job asks for",
    )
    jobs_per_gpu: PositiveInt = Field(
        1, description="how many jobs may share a GPU, and its memory, where no scheduler gives GPUs to jobs"
    )
    channels_last: bool | None = Field(
        None,
        description="order of activations in memory; by default the one that is known to be faster: channels last on a "
        "CPU, and on a GPU but in fp32",
    )
    compile: bool = Field(False, description="compile training steps with torch.compile")


class SplitSettings(Strict):
    """Everything that determines one split."""

    dataset: str
    seed: int
    n: int
    val: int
    test: int
    pool: Literal["all", "official", "rest", "shares", "refit"] = "all"
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
