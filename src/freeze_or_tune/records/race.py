"""How schemes compare on one's own images: a race in rounds, each on other images."""

from typing import Literal

from pydantic import Field

from freeze_or_tune.records.experiment import Varied
from freeze_or_tune.records.record import Accuracy, Record

Verdict = Literal["better", "level", "open"]
"""The winner is better than all others; or none is worth its price beside it; or more images would have to tell."""


class Raced(Record):
    """A scheme in the race."""

    scheme: str
    rounds: int = Field(description="fewer than the race's: it was clearly behind")
    images: int = Field(description="that it was tested on, each once")
    accuracy: Accuracy
    low: Accuracy = Field(description="Wilson's 95 % interval")
    high: Accuracy
    seconds: float = Field(description="of training a round, the search included")
    candidates: tuple[Varied, ...] = Field(
        description="of its search those that were right on most images of all rounds, the best first, and those that "
        "cannot be told from it"
    )
    behind: float = Field(description="the winner's accuracy less its own, on the images that both were tested on")
    behind_low: float = Field(description="one-sided 95 % bounds, corrected for all looks and rivals")
    behind_high: float


class Race(Record):
    """results/advice/<dataset>/race.json."""

    dataset: str
    source: str = Field(description="the one whose features tell these images apart best")
    budget: float = Field(description="minutes")
    rounds: int
    planned: int = Field(description="rounds until every image has tested once")
    seconds: float = Field(description="of the rounds")
    margin: Accuracy = Field(description="what a dearer scheme must be better by, to be worth it")
    schemes: tuple[Raced, ...] = Field(description="the best first; none if there was no race")
    winner: str | None = None
    verdict: Verdict | None = None
    more_images: int | None = Field(None, description="that would have to test, besides, where the verdict is open")
    left_out: str = Field("", description="why there was no race")

    @property
    def others(self) -> tuple[Raced, ...]:
        """All but the winner."""
        return tuple(one for one in self.schemes if one.scheme != self.winner)

    @property
    def first(self) -> Raced:
        """The winner; StopIteration if there was no race."""
        return next(one for one in self.schemes if one.scheme == self.winner)
