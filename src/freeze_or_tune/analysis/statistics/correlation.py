"""Which metric of distance predicts best whether to tune: rank correlations with the ratios, and how sure they are."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from freeze_or_tune.analysis.statistics.intervals import Evidence, Floats, interval
from freeze_or_tune.study.metrics import METRICS
from freeze_or_tune.system.hashing import stable_seed

LEAST_TARGETS = 3
"""Two targets are always in perfect order."""


def correlations(evidence: Evidence, pairs: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rho of each metric with the ratios of `pairs`, a row a metric, best first.

    Metrics are compared on the same pairs: those whose target was measured by all metrics that are known for three
    targets. `low`..`high` is over targets (drawn with replacement, each with all its splits), runs and test images, in
    draws in which three different targets are left; `behind_low`..`behind_high` is that of the best metric's lead.
    """
    metrics = [metric for metric in METRICS if pairs.loc[pairs[metric].notna(), "target"].nunique() >= LEAST_TARGETS]
    known = pairs[metrics].notna().all(axis="columns").to_numpy()
    distances = pairs.loc[known, metrics].to_numpy(float).T
    targets, of_target = np.unique(pairs.loc[known, "target"], return_inverse=True)
    columns = ["metric", "pairs", "targets", "rho", "low", "high", "behind_low", "behind_high"]
    if len(targets) < LEAST_TARGETS:
        return pd.DataFrame(columns=columns)
    observed = spearman(distances, pairs.loc[known, "ratio"].to_numpy())
    drawn = _drawn(distances, evidence.ratio_draws(pairs[known]), of_target)
    order = np.argsort(-np.nan_to_num(observed, nan=-2), kind="stable")
    return pd.DataFrame([
        (metrics[i], known.sum(), len(targets), observed[i], *interval(drawn[i]), *interval(drawn[order[0]] - drawn[i]))
        for i in order
    ], columns=columns)  # fmt: skip


def _drawn(distances: Floats, ratios: Floats, of_target: np.ndarray) -> Floats:
    """Correlations [metrics, draws] with targets drawn anew in each draw of the ratios [pairs, draws]."""
    random, count = np.random.default_rng(stable_seed("targets")), of_target.max() + 1
    rows_of = [np.flatnonzero(of_target == target) for target in range(count)]
    drawn = np.full((len(distances), ratios.shape[1]), np.nan)
    for draw, ratio in enumerate(ratios.T):
        chosen = random.integers(count, size=count)
        rows = np.concatenate([rows_of[target] for target in chosen])
        rows = rows[~np.isnan(ratio[rows])]
        if len(np.unique(of_target[rows])) >= LEAST_TARGETS:
            drawn[:, draw] = spearman(distances[:, rows], ratio[rows])
    return drawn


def spearman(distances: Floats, ratio: Floats) -> Floats:
    """Spearman's rho of each row of `distances` [metrics, pairs] with `ratio` [pairs]; NaN where one is constant."""
    ranks = rankdata(distances, axis=1) - (len(ratio) + 1) / 2
    others = rankdata(ratio) - (len(ratio) + 1) / 2
    with np.errstate(invalid="ignore"):
        return np.asarray(ranks @ others / np.sqrt((ranks**2).sum(axis=1) * (others**2).sum()))
