"""How sure we are: intervals of accuracies and of their ratios, over other runs and other test images.

One bootstrap serves everything, so that all that follows from it is paired rightly. A draw resamples the test images of
a dataset once for all schemes, splits and targets that are tested on them (they share these images), and the runs of
each experiment on their own (seeds of two schemes have nothing in common). This is the pigeonhole bootstrap of Owen
(2007, doi:10.1214/07-AOAS122) for two crossed factors, which errs on the side of wide intervals. Of R runs it draws
R - 1, without which the variance between few runs would come out (R - 1) / R times too small (Rao and Wu 1988).
With a single run nothing is known of other seeds: its intervals are over test images only, and say so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from freeze_or_tune.analysis.results import table as tidy
from freeze_or_tune.analysis.results.table import Choice
from freeze_or_tune.records.correctness import unpack
from freeze_or_tune.study.schemes import Mode
from freeze_or_tune.system.hashing import stable_seed

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Key = tuple[str, int, str]
"""Target, images a class, scheme."""

DRAWS = 2000
TAIL = 0.025
"""What a 95 % interval leaves out on each side."""
_CHUNK = 2_000_000
"""Images drawn at once: what bounds the memory."""
SHARE_IMAGES = ["study", "dataset", "val_per_class", "test_per_class", "test_images"]
"""Rows alike in these are tested on the same images: test sets depend on study, dataset and these sizes alone."""

BOTH, IMAGES_ONLY = "runs and test images", "test images only"


@dataclass(frozen=True)
class Evidence:
    """Results with bootstrap draws of each experiment's mean test accuracy."""

    results: pd.DataFrame
    draws: Mapping[Key, Floats]

    @classmethod
    def of(cls, results: pd.DataFrame, draws: int = DRAWS) -> Self:
        """Draw; the same results give the same draws, and another target does not change them."""
        return cls(results, resample(results, draws))

    @classmethod
    def read(cls, path: Path, mixed: bool = False) -> Self:
        """Read experiments.csv and draw."""
        return cls.of(tidy.read_results(path, mixed))

    def cells(self) -> pd.DataFrame:
        """`results.cells` with the interval `low`..`high` of test accuracy, and what it is `over`."""
        table = tidy.cells(self.results)
        right = (table["test_accuracy"] * table["test_images"]).round()
        wilson = proportion_confint(right, table["test_images"], alpha=2 * TAIL, method="wilson")
        drawn = np.array([interval(self.draws[key]) for key in _keys(table, "scheme")]).T
        # No resampling tells how far from 1 an accuracy of 1 may be.
        alone = ((table["runs"] == 1) | table["test_accuracy"].isin([0, 1])).to_numpy()
        low, high = (np.where(alone, w, d) for w, d in zip(wilson, drawn, strict=True))
        # Wilson's bounds of 0 and 1 come out a rounding error inside, and the accuracy itself would be outside.
        low, high = np.minimum(low, table["test_accuracy"]), np.maximum(high, table["test_accuracy"])
        return table.assign(low=low, high=high, over=np.where(alone, IMAGES_ONLY, BOTH))

    def ratios(self, numerator: Choice, denominator: Choice) -> pd.DataFrame:
        """`results.ratios` with the interval `low`..`high` of the ratio, and what it is `over`."""
        pairs = tidy.ratios(self.results, numerator, denominator)
        bounds = np.array([interval(draws) for draws in self.ratio_draws(pairs)]).reshape(-1, 2).T
        over = np.where(pairs["runs"] == 1, IMAGES_ONLY, BOTH)
        return pairs.assign(low=bounds[0], high=bounds[1], over=over)

    def ratio_draws(self, pairs: pd.DataFrame) -> Floats:
        """Draws of ratios: [pairs, draws]; NaN where both accuracies of a draw are 0."""
        keys = zip(_keys(pairs, "scheme"), _keys(pairs, "other_scheme"), strict=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = [self.draws[above] / self.draws[below] for above, below in keys]
        draws = len(next(iter(self.draws.values())))
        return np.array(rows).reshape(len(pairs), draws)

    def tune_over_freeze(self) -> pd.DataFrame:
        """Ratios of T(1-7)R(8) over F(1-7)R(8) with intervals (figures 2 and 4, table 3)."""
        return self.ratios(("T", 1), ("F", 1))

    def copy_over_random(self, depth: int, mode: Mode) -> pd.DataFrame:
        """Ratios of R(8) over `depth` random blocks in the same mode with intervals (figure 1)."""
        return self.ratios((mode, 1), (mode, depth))


def _keys(table: pd.DataFrame, scheme: str) -> list[Key]:
    return list(zip(table["target"], table["n"], table[scheme], strict=True))


def interval(draws: Floats) -> tuple[float, float]:
    """The middle 95 % of draws (percentiles; infinite ones count, undefined ones do not); NaN if there are none."""
    known = draws[~np.isnan(draws)]
    if not len(known):
        return np.nan, np.nan
    # An observed draw, not a mean of two: one of them may be infinite.
    low, high = np.quantile(known, [TAIL, 1 - TAIL], method="inverted_cdf")
    return float(low), float(high)


def resample(results: pd.DataFrame, draws: int) -> dict[Key, Floats]:
    """Draws of the mean test accuracy of each experiment: images resampled together, runs by experiment."""
    resampled: dict[Key, Floats] = {}
    for shared, group in results.groupby(SHARE_IMAGES, sort=False):
        images = int(group["test_images"].iloc[0])
        correct = np.array([unpack(text, images) for text in group["correct"]], np.float32)
        by_run = _over_images(correct, draws, stable_seed("bootstrap", str(shared)))
        keys = pd.Series(_keys(group, "scheme"))
        for key in keys.unique():
            resampled[key] = _over_runs(by_run[(keys == key).to_numpy()], stable_seed("bootstrap", *key))
    return resampled


def _over_images(correct: np.ndarray, draws: int, seed: int) -> Floats:
    """Accuracies [runs, draws] on images drawn with replacement, the same ones for all runs [runs, images]."""
    random, images = np.random.default_rng(seed), correct.shape[1]
    accuracies = []
    while draws:
        chunk = min(draws, max(1, _CHUNK // images))
        # How often each image is drawn stands for the images themselves: sums of whole numbers, exact in float32.
        counts = [np.bincount(random.integers(images, size=images), minlength=images) for _ in range(chunk)]
        accuracies.append(correct @ np.array(counts, np.float32).T / images)
        draws -= chunk
    return np.concatenate(accuracies, axis=1).astype(np.float64)


def _over_runs(accuracies: Floats, seed: int) -> Floats:
    """Mean over all runs but one, drawn with replacement: [runs, draws] to [draws]."""
    runs, draws = accuracies.shape
    picks = np.random.default_rng(seed).integers(runs, size=(max(runs - 1, 1), draws))
    return np.asarray(np.take_along_axis(accuracies, picks, axis=0).mean(axis=0))
