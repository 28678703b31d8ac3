"""Tuned over frozen accuracy, foreseen from experiments: log ratio = a + b log10(images a class) + c cosine distance.

Ordinary least squares over the pairs of Table 3. What it is worth is told by leaving out one target at a time, with
all its splits: a new dataset is a new target, and the splits of one target err together.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.stats import t as student

from freeze_or_tune.records.advice import Forecast

CONFIDENCE = 0.95
FEWEST_TARGETS = 3
"""Leaving one out, two remain: the least that can say anything of distance."""

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class NoForecast(ValueError):
    """The experiments are too few or too much alike; the message says which."""


@dataclass(frozen=True)
class Regression:
    """The fit, and how far off it was for targets that it had not seen."""

    coefficients: Floats
    """a, b, c."""
    covariance: Floats
    spread: float
    """Standard deviation of log ratios around the fit."""
    typical_error: float
    """Root mean square of the errors in log ratio of targets left out."""
    pairs: int
    targets: int

    @classmethod
    def fit(cls, pairs: pd.DataFrame) -> Self:
        """Fit to pairs with the columns target, n, cosine and ratio; NoForecast if they do not suffice."""
        known = _known(pairs)
        targets = known["target"].unique()
        if len(targets) < FEWEST_TARGETS:
            raise NoForecast(
                f"it takes experiments on {FEWEST_TARGETS} targets of known distance, there are {len(targets)}"
            )
        errors = [_least_squares(known[known["target"] != t]).predict(_x(known[known["target"] == t])) for t in targets]
        truth = np.concatenate([_y(known[known["target"] == t]) for t in targets])
        fitted = _least_squares(known)
        return cls(
            fitted.params, fitted.cov_params(), math.sqrt(fitted.scale),
            math.sqrt(np.mean((np.concatenate(errors) - truth) ** 2)), len(known), len(targets),
        )  # fmt: skip

    @property
    def formula(self) -> str:
        """The fit in words."""
        a, b, c = self.coefficients
        return f"ln(tuned / frozen) = {a:+.3f} {b:+.3f} log10(images a class) {c:+.3f} cosine"

    def forecast(self, n: int, cosine: float) -> Forecast:
        """The ratio for a new target and an interval that should hold it.

        The spread is that around the fit or that of targets left out, whichever is larger; degrees of freedom are those
        of targets, not of pairs, because the splits of one target err together.
        """
        x = np.array([1, math.log10(n), cosine])
        spread = max(self.spread, self.typical_error)
        error = math.sqrt(x @ self.covariance @ x + spread**2)
        reach = student.ppf((1 + CONFIDENCE) / 2, self.targets - 1) * error
        middle = float(x @ self.coefficients)
        return Forecast(
            ratio=math.exp(middle), low=math.exp(middle - reach), high=math.exp(middle + reach), confidence=CONFIDENCE,
            formula=self.formula, pairs=self.pairs, targets=self.targets, typical_error=math.exp(self.typical_error),
        )  # fmt: skip


def _known(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs of known distance; a tuned accuracy of 0 has no logarithm."""
    return pairs[pairs["cosine"].notna() & (pairs["ratio"] > 0)]


def _x(pairs: pd.DataFrame) -> Floats:
    return np.column_stack([np.ones(len(pairs)), np.log10(pairs["n"]), pairs["cosine"]])


def _y(pairs: pd.DataFrame) -> Floats:
    return np.asarray(np.log(pairs["ratio"]))


def _least_squares(pairs: pd.DataFrame) -> "sm.regression.linear_model.RegressionResults":
    x = _x(pairs)
    if np.linalg.matrix_rank(x) < x.shape[1] or len(x) == x.shape[1]:
        raise NoForecast("without one of the targets, the others have too few sizes or distances to tell their parts")
    return sm.OLS(_y(pairs), x).fit()
