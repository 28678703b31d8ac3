"""Tuned over frozen accuracy, foreseen from experiments on other images by what is known before any training.

A random-effects regression (meta-regression; DerSimonian and Laird 1986, doi:10.1016/0197-2456(86)90046-2) of log
ratios over the pairs of Table 3: each pair counts by how surely its ratio was measured, and pairs differ beyond that.
By how much is told by leaving out one dataset at a time, with all its splits and sources, which err together.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.regression.linear_model import WLS, RegressionResults

from freeze_or_tune.records.advice import Forecast
from freeze_or_tune.records.probes import Profile

CONFIDENCE = 0.95
FEWEST_DATASETS = 5
"""Leaving one out, there is one for each coefficient, and one more."""
WIDEST = 3.0
"""An interval whose ends are further apart than this factor says nothing, and is not printed."""
_SUREST = 0.02
"""Standard error of a log ratio that is counted on at least: where both are right on all images it comes out as 0."""
_LEAST = 0.02
"""What features tell at least: of so many classes that chance is below it nobody knows yet."""

Floats = NDArray[np.float64]


class NoForecast(ValueError):
    """The experiments are too few or too much alike, or say too little of these images; the message says which."""


class Given(NamedTuple):
    """What is known of images before training: images a class, and what the source's features, and blocks, tell."""

    n: Any
    probe: Any
    rise: Any
    """How much more accurate the best block's logistic regression is than that on the features."""

    @classmethod
    def of(cls, n: int, profile: Profile) -> Self:
        """Of one's own images."""
        return cls(n, profile.last.logistic, profile.best.logistic - profile.last.logistic)

    @classmethod
    def of_pairs(cls, pairs: pd.DataFrame | Mapping[str, Any]) -> Self:
        """Of pairs of experiments, or of one; NaN where they were not probed."""
        return cls(pairs["n"], pairs["probe"], pairs["probe_best"] - pairs["probe"])


Term = Callable[[Given], Any]
TERMS: dict[str, Term] = {
    # What lower blocks tell more takes images to be learnt; and what is right already cannot become more so.
    "rise log10(images a class)": lambda given: given.rise * np.log10(given.n),
    "ln(1 / probe)": lambda given: -np.log(np.maximum(given.probe, _LEAST)),
}
"""What log ratios depend on, besides a constant. With distance, log10 n, probe or rise alone, intervals were wider."""


@dataclass(frozen=True)
class Regression:
    """The fit, and how far off it was for datasets that it had not seen."""

    terms: Mapping[str, Term]
    coefficients: Floats
    """Of 1 and of each term."""
    covariance: Floats
    spread: float
    """Standard deviation of log ratios around what is foreseen of them, beyond the error of measuring them."""
    pairs: int
    datasets: int
    studied: Mapping[str, tuple[float, float]]
    """From the smallest to the largest value of each thing that is known."""

    @classmethod
    def fit(cls, pairs: pd.DataFrame, terms: Mapping[str, Term] = TERMS) -> Self:
        """Fit to pairs with columns dataset, n, probe, probe_best, ratio, low and high; NoForecast if they are few."""
        known = pairs[pairs["probe"].notna() & (pairs["ratio"] > 0)]
        datasets = known["dataset"].unique()
        if len(datasets) < FEWEST_DATASETS:
            raise NoForecast(
                f"it takes experiments on {FEWEST_DATASETS} datasets with probes, there are {len(datasets)}"
            )
        fitted, between = _fit(known, terms)
        errors, weights = [], []
        for name in datasets:
            own = known[known["dataset"] == name]
            others, _ = _fit(known[known["dataset"] != name], terms)
            errors.append((np.log(own["ratio"]) - others.predict(_x(own, terms))) ** 2 - measured(own) ** 2)
            weights.append(1 / (measured(own) ** 2 + between))
        left_out = np.average(np.concatenate(errors), weights=np.concatenate(weights))
        given = Given.of_pairs(known)
        return cls(
            terms, np.asarray(fitted.params), np.asarray(fitted.cov_params()), math.sqrt(max(between, left_out)),
            len(known), len(datasets),
            {name: (float(values.min()), float(values.max())) for name, values in given._asdict().items()},
        )  # fmt: skip

    @property
    def formula(self) -> str:
        """The fit in words."""
        first, *others = self.coefficients
        parts = (f"{value:+.3f} {name}" for value, name in zip(others, self.terms, strict=True))
        return " ".join([f"ln(tuned / frozen) = {first:+.3f}", *parts])

    def forecast(self, given: Given) -> Forecast:
        """The ratio for a new dataset and an interval that should hold it; NoForecast if that would say nothing."""
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

    def interval(self, given: Given, error: float = 0.0) -> Forecast:
        """The forecast, however wide, of a ratio that is measured with a standard error of its logarithm.

        Degrees of freedom are those of datasets, not of pairs.
        """
        x = np.array([1.0, *(float(term(given)) for term in self.terms.values())])
        deviation = math.sqrt(x @ self.covariance @ x + self.spread**2 + error**2)
        reach = student.ppf((1 + CONFIDENCE) / 2, self.datasets - 1) * deviation
        middle = float(x @ self.coefficients)
        return Forecast(
            ratio=math.exp(middle), low=math.exp(middle - reach), high=math.exp(middle + reach), confidence=CONFIDENCE,
            formula=self.formula, pairs=self.pairs, targets=self.datasets, typical_error=math.exp(self.spread),
        )  # fmt: skip


_WORDS = {"n": "the number of images a class", "probe": "what the features tell", "rise": "what lower blocks tell more"}


def measured(pairs: pd.DataFrame | Mapping[str, Any]) -> Any:
    """Standard errors of log ratios, from their 95 % intervals."""
    width = np.log(pairs["high"] / np.maximum(pairs["low"], 0.01))
    return np.clip(np.nan_to_num(width, posinf=10.0) / (2 * norm.ppf((1 + CONFIDENCE) / 2)), _SUREST, None)


def _x(pairs: pd.DataFrame, terms: Mapping[str, Term]) -> Floats:
    given = Given.of_pairs(pairs)
    return np.column_stack([np.ones(len(pairs)), *(np.asarray(term(given), float) for term in terms.values())])


def _fit(pairs: pd.DataFrame, terms: Mapping[str, Term]) -> tuple[RegressionResults, float]:
    """The weighted fit, and the variance of log ratios between pairs, beyond that of measuring them (by moments)."""
    x, y, own = _x(pairs, terms), np.asarray(np.log(pairs["ratio"])), 1 / np.asarray(measured(pairs)) ** 2
    if np.linalg.matrix_rank(x) < x.shape[1] or len(x) == x.shape[1]:
        raise NoForecast("without one of the datasets, the others are too few or too much alike to tell their parts")
    fixed = WLS(y, x, weights=own).fit()
    excess = (own * fixed.resid**2).sum() - (len(y) - x.shape[1])
    scale = own.sum() - np.trace(np.linalg.solve((x.T * own) @ x, (x.T * own**2) @ x))
    between = max(0.0, float(excess / scale))
    # The weights are variances themselves, not shares of one that is to be found.
    return WLS(y, x, weights=1 / (1 / own + between)).fit(cov_type="fixed scale"), between
