"""How well images are told apart by what a source's network makes of them, block by block."""

from collections.abc import Iterable

from pydantic import Field

from freeze_or_tune.records.record import Accuracy, Record

TOLERANCE = 0.05
"""Of accuracy: what mirrored images may be told apart worse by, and still count as images of the same classes."""


class Probe(Record):
    """The pooled outputs of one block; accuracies are cross-validated."""

    block: int
    width: int = Field(description="channels, of which each is pooled")
    neighbours: Accuracy = Field(description="of the nearest neighbours by the cosine")
    logistic: Accuracy = Field(description="of a logistic regression")
    low: Accuracy = Field(description="Wilson's 95 % interval of the logistic regression's")
    high: Accuracy


def best_of(probes: Iterable[Probe]) -> Probe:
    """The probe whose logistic regression is best, the highest block of equals."""
    return max(probes, key=lambda probe: (probe.logistic, probe.block))


class Mistake(Record):
    """An image that the features take for another class, and how surely."""

    image: str
    label: str
    answer: str
    probability: Accuracy


class Profile(Record):
    """results/advice/<dataset>/probes/<source>.json, results/probes/<target>/n<k>.json: a probe of each block."""

    source: str
    images: int = Field(description="that were probed with: none of them tests")
    classes: int
    folds: int
    blocks: tuple[Probe, ...] = Field(min_length=1, description="1 to L-1; the last are the features")
    mistakes: tuple[Mistake, ...] = Field(description="of the logistic regression on the features, the surest first")
    mirrored: Accuracy = Field(
        description="of the best block's logistic regression, cross-validated, on mirrored images"
    )
    images_per_second: float = Field(description="through the network, once")
    parameters: int = Field(description="numbers that tuning changes, the source's classifier included")
    activations: int = Field(description="numbers that a training step keeps of each image of its batch")

    @property
    def last(self) -> Probe:
        """Of the features: what a new classifier learns from."""
        return self.blocks[-1]

    @property
    def best(self) -> Probe:
        """Of the block that tells most."""
        return best_of(self.blocks)

    @property
    def symmetric(self) -> bool:
        """Whether mirrored images are of the same classes: of letters and digits they are not."""
        return self.best.logistic - self.mirrored <= TOLERANCE


def most_telling(profiles: Iterable[Profile]) -> Profile:
    """The source whose features the logistic regression tells images apart by best, the first of equals."""
    return max(profiles, key=lambda profile: profile.last.logistic)
