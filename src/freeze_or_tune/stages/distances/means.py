"""Distances between mean features: cosine, and MMD with a linear kernel."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from freeze_or_tune.records.distances import Distance, MeanFeatures
from freeze_or_tune.study.metrics import Metric
from freeze_or_tune.system.errors import UserError

Mean = NDArray[np.float64]


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


FORMULAS: dict[str, Callable[[Mean, Mean], float]] = {"cosine": cosine, "mmd": mmd}
"""By metric; the others need more than the means."""


def measure(metric: Metric, source: str, target: str, source_mean: Path, target_mean: Path, destination: Path) -> None:
    """Measure one of FORMULAS from the means of two datasets' features and write the record.

    UserError if they are not of the same network.
    """
    ours, theirs = MeanFeatures.read_given(source_mean), MeanFeatures.read(target_mean)
    if len(ours.mean) != len(theirs.mean):
        raise UserError(
            f"{source_mean} has the means of {len(ours.mean)} features{f' ({ours.about})' if ours.about else ''}, but "
            f"the network of {source} has {len(theirs.mean)}: it was made with another network"
        )
    Distance(
        metric=metric, source=source, target=target, value=FORMULAS[metric](np.array(ours.mean), np.array(theirs.mean)),
        source_images=ours.images, target_images=theirs.images, estimated=ours.estimated,
    ).write(destination)  # fmt: skip
