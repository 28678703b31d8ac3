"""Trend lines of ratios."""

import numpy as np
from scipy.special import softmax

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


def trend(x: Floats, ratio: Floats, bandwidth: float, points: int = 101) -> tuple[Floats, Floats]:
    """Geometric mean of positive ratios in a Gaussian window (sigma `bandwidth`, in units of x) that slides over x.

    Returns the places of the window, from the smallest x to the largest, and the means; nothing if x has fewer than
    two values. Unlike a fitted line it never leaves the range of the ratios.
    """
    if len(np.unique(x)) < 2:
        return np.empty(0), np.empty(0)
    places = np.linspace(x.min(), x.max(), points)
    # Softmax, because far from all points every plain weight would underflow to zero.
    weights = softmax(-0.5 * ((places[:, None] - x) / bandwidth) ** 2, axis=1)
    return places, np.exp(weights @ np.log(ratio))
