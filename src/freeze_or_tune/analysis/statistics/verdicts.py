"""Table 3: freeze or tune, for each level of distance and data, by a rule on paired ratios and their intervals.

A cell's number is the geometric mean of the ratios of its pairs. Its interval and its test come from one bootstrap
(`intervals.py`): the p-value is twice the smaller share of draws on one side of 1. They speak of these experiments
with other seeds and other test images, not of other datasets. The nine p-values are corrected by Holm's method: it
holds the chance of any false finding at 5 % however cells depend on each other, and they do: they share test images.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.analysis.statistics.intervals import BOTH, IMAGES_ONLY, Evidence, Floats, interval

GAIN = 1.01
"""A mean ratio this far from 1 is a difference that matters."""

ALPHA = 0.05

NONE = "no experiments"

RULE = (
    "The rule: a pair is T(1-7)R(8) and F(1-7)R(8) on one target with the same images a class; its ratio is the tuned "
    f'accuracy over the frozen one. "Tune" if the geometric mean of a cell\'s ratios is at least {GAIN}, its p-value '
    f"after Holm's correction over the cells is below {ALPHA}, and no pair's 95 % interval lies below 1. "
    f'"Freeze" in the mirrored case: at most 1/{GAIN}, p below {ALPHA}, no pair\'s interval above 1. '
    'Else "Try Freeze or Tune".'
)


def recommendations(evidence: Evidence) -> pd.DataFrame:
    """One row for each distance and data level: ratio, interval, p-values, advice, and whether the paper agrees."""
    pairs = evidence.tune_over_freeze()
    draws = evidence.ratio_draws(pairs)
    rows = [_cell(pairs, draws, distance, data) for distance, data in paper.ADVICE]
    table = pd.DataFrame(rows)
    tested = table["p"].notna()
    table["p_holm"] = np.nan
    if tested.any():
        table.loc[tested, "p_holm"] = multipletests(table.loc[tested, "p"], ALPHA, method="holm")[1]
    judged = table[["geometric_mean", "p_holm", "pairs_for_tuning", "pairs_for_freezing"]]
    table["advice"] = [recommend(*numbers) for numbers in judged.itertuples(index=False, name=None)]
    table["paper"] = list(paper.ADVICE.values())
    table["agrees"] = [agreement(ours, theirs) for ours, theirs in zip(table["advice"], table["paper"], strict=True)]
    return table


def _cell(pairs: pd.DataFrame, draws: Floats, distance: str, data: str) -> dict[str, object]:
    chosen = ((pairs["distance_level"] == distance) & (pairs["data_level"] == data)).to_numpy()
    cell = pairs[chosen]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.log(draws[chosen]).mean(axis=0) if chosen.any() else np.empty(0)
    low, high = np.exp(interval(means))
    return {
        "distance_level": distance, "data_level": data, "pairs": len(cell), "targets": cell["target"].nunique(),
        "experiments": 2 * len(cell), "geometric_mean": geometric_mean(cell["ratio"].to_numpy()),
        "low": low, "high": high, "p": two_sided(means),
        "pairs_for_tuning": int((cell["low"] > 1).sum()), "pairs_for_freezing": int((cell["high"] < 1).sum()),
        "min": cell["ratio"].min(), "max": cell["ratio"].max(),
        "over": "" if cell.empty else IMAGES_ONLY if (cell["runs"] == 1).any() else BOTH,
    }  # fmt: skip


def two_sided(draws: Floats) -> float:
    """Bootstrap p-value of "the mean is 0": twice the smaller tail, the observed one counted in; NaN without draws."""
    known = draws[~np.isnan(draws)]
    if not len(known):
        return np.nan
    tail = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (1 + tail) / (1 + len(known)))


def geometric_mean(ratios: Sequence[float] | np.ndarray) -> float:
    """Geometric mean of ratios >= 0; NaN if there are none."""
    if not len(ratios):
        return np.nan
    with np.errstate(divide="ignore"):
        return float(np.exp(np.mean(np.log(ratios))))


def recommend(mean: float, p: float, for_tuning: int, for_freezing: int) -> str:
    """Advice by RULE from a cell's mean ratio, its corrected p-value and its pairs whose interval leaves 1 out."""
    if np.isnan(mean):
        return NONE
    # Rounded, so that a ratio of exactly 1.01 counts whatever the logarithm does to its last digit.
    mean = round(mean, 9)
    if mean >= GAIN and p < ALPHA and not for_freezing:
        return "Tune"
    if mean <= round(1 / GAIN, 9) and p < ALPHA and not for_tuning:
        return "Freeze"
    return "Try Freeze or Tune"


def agreement(ours: str, theirs: str) -> str:
    """Whether two recommendations agree: "partly" if one of them is to try both."""
    if ours == NONE:
        return ""
    if ours == theirs:
        return "yes"
    return "partly" if "Try Freeze or Tune" in (ours, theirs) else "no"
