"""What a split asked for, what there was, and what it got."""

from pydantic import Field

from freeze_or_tune.records.record import Record


class Tally(Record):
    """One subset of a split; numbers are images a class unless they say otherwise."""

    asked: int | None = Field(description="None: all there are (an official test set, or the rest)")
    available: int = Field(description="what the smallest class in use holds, for all subsets that draw from the same")
    fewest: int
    most: int
    images: int = Field(description="of all classes")


class SplitTally(Record):
    """results/splits/<target>/n<k>.json: what a split asked for, what there was, and what it got."""

    classes_available: int
    classes_used: int
    train: Tally
    val: Tally
    test: Tally
