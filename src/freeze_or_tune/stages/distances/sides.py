"""The two sides of a distance: their features, and samples of them to train and test a classifier on."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from freeze_or_tune.system.errors import SpoiltFile, UserError

Rows = NDArray[np.int64]
Features = NDArray[np.float32]


class Sample(NamedTuple):
    """Rows of one side: those to train on, and those held out."""

    train: Rows
    held_out: Rows


def load_features(path: Path) -> Features:
    """Features [N, D], memory-mapped; UserError if the file is damaged."""
    try:
        features: Features = np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise SpoiltFile(f"{path} is damaged ({error})") from None
    return features


def draw_samples(source: int, target: int, samples: int, seed: int, *, same: bool) -> tuple[Sample, Sample]:
    """Equally many rows of both sides (of so many images), at most `samples` each; one half trains, one is held out.

    With the `same` dataset on both sides, no row is on both: the distance of a dataset to itself is then chance.
    """
    generator = np.random.default_rng(seed)
    count = min(samples, source // 2, target // 2) if same else min(samples, source, target)
    if count < 2:
        raise UserError(f"a classifier needs 2 images of each side at least; there are {source} and {target}")
    source_rows = generator.permutation(source)
    target_rows = source_rows[count:] if same else generator.permutation(target)
    half = count // 2
    return Sample(source_rows[:half], source_rows[half:count]), Sample(target_rows[:half], target_rows[half:count])


def labels(source: int, target: int) -> Rows:
    """0 for each image of the source, then 1 for each of the target."""
    return np.repeat([0, 1], [source, target])


def standard_error(accuracy: float, images: int) -> float:
    """Binomial standard error of an accuracy measured on so many images."""
    return float(np.sqrt(accuracy * (1 - accuracy) / images))
