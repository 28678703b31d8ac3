"""Whether probabilities are what they say: temperature scaling and the expected calibration error (Guo et al. 2017)."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BINS = 15
_BOUNDS = (0.05, 20.0)

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def temperature(logits: Floats, labels: Labels) -> float:
    """The T that makes logits [N, classes] / T likeliest for held-out labels [N].

    With a standard normal prior of ln T, which many images outvote: few that are all right would else ask for a T of 0.
    """

    def loss(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(log_temperature**2 / 2 - scores[np.arange(len(labels)), labels].sum())

    found = minimize_scalar(loss, bounds=tuple(np.log(_BOUNDS)), method="bounded")
    return float(np.exp(found.x))


def calibration_error(probabilities: Floats, labels: Labels) -> float:
    """Expected calibration error: |accuracy - confidence| over BINS equal bins of confidence, weighted by images."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(right[bins == b].sum() - confidence[bins == b].sum()) for b in np.unique(bins)]
    return float(sum(gaps) / len(labels))
