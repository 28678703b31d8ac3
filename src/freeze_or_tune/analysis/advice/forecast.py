"""Tuned over frozen accuracy, foreseen from experiments on other images by what is known before any training.

Ordinary least squares of log ratios over the pairs of Table 3. What it is worth is told by leaving out one dataset at a
time, with all its splits and sources: the splits of one dataset err together.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.stats import t as student

from freeze_or_tune.records.advice import Forecast
from freeze_or_tune.records.probes import Profile

CONFIDENCE = 0.95
FEWEST_DATASETS = 5
"""Leaving one out, there is one for each coefficient."""
WIDEST = 3.0
"""An interval whose ends are further apart than this factor says nothing, and is not printed."""

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class NoForecast(ValueError):
    """The experiments are too few or too much alike, or say too little of these images; the message says which."""


class Given(NamedTuple):
    """What is known of images before training: images a class, and what the source's features, and blocks, tell."""

    n: float
    probe: float
    rise: float
    """How much more accurate the best block's logistic regression is than that on the features."""

    @classmethod
    def of(cls, n: int, profile: Profile) -> Self:
        """Of one's own images."""
        return cls(n, profile.last.logistic, profile.best.logistic - profile.last.logistic)

    @classmethod
    def of_pair(cls, pair: Mapping[str, Any]) -> Self:
        """Of a pair of experiments: NaN where they were not probed."""
        return cls(pair["n"], pair["probe"], pair["probe_best"] - pair["probe"])


@dataclass(frozen=True)
class Regression:
    """The fit, and how far off it was for datasets that it had not seen."""

    coefficients: Floats
    """Of 1, log10 n, probe and rise."""
    covariance: Floats
    spread: float
    """Standard deviation of log ratios around the fit."""
    typical_error: float
    """Root mean square of the errors in log ratio of datasets left out."""
    pairs: int
    datasets: int
    studied: dict[str, tuple[float, float]]
    """From the smallest to the largest value of each thing that is known."""

    @classmethod
    def fit(cls, pairs: pd.DataFrame) -> Self:
        """Fit to pairs with the columns dataset, n, probe, probe_best and ratio; NoForecast if they do not suffice."""
        known = _known(pairs)
        datasets = known["dataset"].unique()
        if len(datasets) < FEWEST_DATASETS:
            raise NoForecast(
                f"it takes experiments on {FEWEST_DATASETS} datasets with probes, there are {len(datasets)}"
            )
        parts = [(known[known["dataset"] != name], known[known["dataset"] == name]) for name in datasets]
        errors = [_least_squares(others).predict(_x(own)) - _y(own) for others, own in parts]
        fitted = _least_squares(known)
        return cls(
            fitted.params, fitted.cov_params(), math.sqrt(fitted.scale),
            math.sqrt(np.mean(np.concatenate(errors) ** 2)), len(known), len(datasets),
            {name: (float(known[name].min()), float(known[name].max())) for name in Given._fields},
        )  # fmt: skip

    @property
    def formula(self) -> str:
        """The fit in words."""
        a, b, c, d = self.coefficients
        return f"ln(tuned / frozen) = {a:+.3f} {b:+.3f} log10(images a class) {c:+.3f} probe {d:+.3f} rise"

    def forecast(self, given: Given) -> Forecast:
        """The ratio for a new dataset and an interval that should hold it; NoForecast if that would say nothing.

        The spread is that around the fit or that of datasets left out, whichever is larger; degrees of freedom are
        those of datasets, not of pairs, because the splits of one dataset err together.
        """
        for name, value in given._asdict().items():
            low, high = self.studied[name]
            if not low <= value <= high:
                raise NoForecast(
                    f"{_WORDS[name]}, {value:.3g}, lies outside of what was studied ({low:.3g} to {high:.3g})"
                )
        foreseen = self.interval(given)
        if foreseen.high > WIDEST * foreseen.low:
            raise NoForecast(
                f"its interval, {foreseen.low:.2f} to {foreseen.high:.2f}, spans more than a factor of {WIDEST:g}"
            )
        return foreseen

    def interval(self, given: Given) -> Forecast:
        """The forecast, however wide."""
        x = np.array([1, math.log10(given.n), given.probe, given.rise])
        spread = max(self.spread, self.typical_error)
        error = math.sqrt(x @ self.covariance @ x + spread**2)
        reach = student.ppf((1 + CONFIDENCE) / 2, self.datasets - 1) * error
        middle = float(x @ self.coefficients)
        return Forecast(
            ratio=math.exp(middle), low=math.exp(middle - reach), high=math.exp(middle + reach), confidence=CONFIDENCE,
            formula=self.formula, pairs=self.pairs, targets=self.datasets, typical_error=math.exp(self.typical_error),
        )  # fmt: skip


_WORDS = {"n": "the number of images a class", "probe": "what the features tell", "rise": "what lower blocks tell more"}


def _known(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs that were probed; a tuned accuracy of 0 has no logarithm."""
    found = pairs[pairs["probe"].notna() & (pairs["ratio"] > 0)]
    return found.assign(rise=found["probe_best"] - found["probe"])


def _x(pairs: pd.DataFrame) -> Floats:
    return np.column_stack([np.ones(len(pairs)), np.log10(pairs["n"]), pairs["probe"], pairs["rise"]])


def _y(pairs: pd.DataFrame) -> Floats:
    return np.asarray(np.log(pairs["ratio"]))


def _least_squares(pairs: pd.DataFrame) -> "sm.regression.linear_model.RegressionResults":
    x = _x(pairs)
    if np.linalg.matrix_rank(x) < x.shape[1] or len(x) == x.shape[1]:
        raise NoForecast("without one of the datasets, the others are too few or too much alike to tell their parts")
    return sm.OLS(_y(pairs), x).fit()
