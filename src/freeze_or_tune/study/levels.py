"""The paper's levels of distance and of data (section 4)."""

from typing import Literal

Level = Literal["L", "M", "H"]

DISTANCE_BOUNDS = (0.2, 0.4)
"""Cosine distance: L [0, 0.2), M [0.2, 0.4), H [0.4, 1]."""

DATA_BOUNDS = (21, 100)
"""Images a class: L 1-20, M 21-99, H >= 100."""


def _level(value: float, bounds: tuple[float, float]) -> Level:
    return "L" if value < bounds[0] else "M" if value < bounds[1] else "H"


def distance_level(cosine: float) -> Level:
    """Level of a cosine distance between source and target."""
    return _level(cosine, DISTANCE_BOUNDS)


def data_level(n: int) -> Level:
    """Level of a number of training images a class."""
    return _level(n, DATA_BOUNDS)
