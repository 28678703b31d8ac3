"""Distances between mean features: cosine, and MMD with a linear kernel."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from freeze_or_tune.distances.sides import Features, load_features
from freeze_or_tune.errors import UserError
from freeze_or_tune.records import Distance
from freeze_or_tune.settings import Metric

Mean = NDArray[np.float64]


def mean_features(features: Features) -> Mean:
    """Mean [D] of features [N, D]."""
    mean: Mean = features.mean(axis=0, dtype=np.float64)
    return mean


def cosine(source: Mean, target: Mean) -> float:
    """1 - cos of the angle between two means; in [0, 1] for features after a ReLU, exactly 0 for equal ones.

    Features that can be negative (of ConvNeXt, ViT, Swin) may go up to 2.

    UserError if a mean is zero: a network whose units have all died has no direction.
    """
    if not source.any() or not target.any():
        raise UserError("all features are zero: the source network has died; pretrain it with a lower learning rate")
    # Half the squared distance of the unit vectors: the same number, without the rounding of 1 - 0.99...
    difference = source / np.linalg.norm(source) - target / np.linalg.norm(target)
    return float(difference @ difference / 2)


def mmd(source: Mean, target: Mean) -> float:
    """MMD with a linear kernel: the Euclidean distance of the means."""
    return float(np.linalg.norm(source - target))


def measure(
    metric: Metric, source: str, target: str, source_features: Path, target_features: Path, destination: Path,
    estimated: bool = False,
) -> None:  # fmt: skip
    """Measure cosine or mmd from two feature files and write the record.

    The source's features are those of its images, or one row with their `estimated` mean.
    """
    ours, theirs = load_features(source_features), load_features(target_features)
    distance = {"cosine": cosine, "mmd": mmd}[metric]
    Distance(
        metric=metric, source=source, target=target, value=distance(mean_features(ours), mean_features(theirs)),
        source_images=0 if estimated else len(ours), target_images=len(theirs), estimated=estimated,
    ).write(destination)  # fmt: skip
