"""Figures 1 and 2 of the paper, and 4: ratios of accuracy with 95 % intervals against distance and amount of data."""

import logging
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from freeze_or_tune.analysis.results.table import deeper, estimated
from freeze_or_tune.analysis.show.style import (
    DATA_LOOKS,
    DISTANCE_LOOKS,
    GREY,
    LINES,
    WIDTH,
    Look,
    aside,
    log_ticks,
    ratio_axis,
    say,
)
from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.analysis.statistics.correlation import correlations
from freeze_or_tune.analysis.statistics.intervals import Evidence, Floats
from freeze_or_tune.analysis.statistics.trend import trend
from freeze_or_tune.study.levels import DATA_BOUNDS, Level
from freeze_or_tune.study.metrics import METRICS
from freeze_or_tune.study.schemes import Mode

LOG = logging.getLogger(__name__)

DISTANCE_WINDOW = 0.15
"""Sigma of the trend lines over cosine distance."""

DATA_WINDOW = 0.5
"""Sigma of the trend lines over images a class, in decades (a factor of about 3)."""

METRIC_WINDOW = 0.25
"""Sigma of the trend lines over any metric, as a fraction of the range it takes."""

EDGE: Any = {"markeredgecolor": "white", "markeredgewidth": 0.6}
"""Keeps points apart where they overlap."""

MODE_NAMES: dict[Mode, str] = {"T": "Fine-tune (T)", "F": "Freeze (F)"}
DISTANCE_LABELS = {k: f"{paper.DISTANCE_NAMES[k]} ({paper.DISTANCE_RANGES[k]})" for k in paper.LEVELS}
DATA_LABELS = {k: f"{paper.DATA_NAMES[k]} ({paper.DATA_RANGES[k]})" for k in paper.LEVELS}


def copying_data(evidence: Evidence) -> pd.DataFrame:
    """Figure 1's numbers: R(8) over the next depths, in both modes."""
    # Something to draw axes of where no pair exists.
    depths = deeper(evidence.results) or [3]
    return pd.concat([
        evidence.copy_over_random(depth, mode).assign(depth=depth, mode=mode) for depth in depths for mode in MODE_NAMES
    ])  # fmt: skip


def copying(evidence: Evidence) -> Figure:
    """Accuracy of R(8) over that of the next depths, against distance: a row a depth, a column a mode."""
    results, everything = evidence.results, _drawable(copying_data(evidence))
    depths = deeper(results) or [3]
    figure = Figure(figsize=(WIDTH, 0.7 + 2.1 * len(depths)), layout="constrained")
    grid = figure.subplots(len(depths), 2, sharex=True, sharey="row", squeeze=False)
    for depth, row in zip(depths, grid, strict=True):
        of_row = everything[everything["depth"] == depth]
        for mode, axes in zip(MODE_NAMES, row, strict=True):
            _scatter(axes, of_row[of_row["mode"] == mode], "cosine", "data_level", DATA_LOOKS, DISTANCE_WINDOW)
            ratio_axis(axes, of_row)
            _distance_axis(axes, everything["cosine"])
        below = _random_part(results, depth) or "more random blocks"
        row[0].set_ylabel(f"{_random_part(results, 1)} accuracy\nover {below} accuracy")
    for mode, top, bottom in zip(MODE_NAMES, grid[0], grid[-1], strict=True):
        top.set_title(MODE_NAMES[mode])
        bottom.set_xlabel(_distance_label(evidence))
    _legend_under(figure, everything)
    return figure


def tuning_data(evidence: Evidence) -> pd.DataFrame:
    """Figure 2's numbers: T(1-7)R(8) over F(1-7)R(8)."""
    return evidence.tune_over_freeze()


def tuning(evidence: Evidence) -> Figure:
    """Tuned over frozen accuracy of R(8), against images a class and against distance."""
    pairs = _drawable(tuning_data(evidence))
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _scatter(left, pairs, "n", "distance_level", DISTANCE_LOOKS, DATA_WINDOW)
    _scatter(right, pairs, "cosine", "data_level", DATA_LOOKS, DISTANCE_WINDOW)
    for axes in (left, right):
        ratio_axis(axes, pairs)
    _data_axis(left, pairs["n"])
    _distance_axis(right, pairs["cosine"])
    left.set_ylabel("Tuned accuracy over frozen accuracy")
    left.set_xlabel("Images a class (log scale)")
    right.set_xlabel(_distance_label(evidence))
    near = _level_handles(pairs["distance_level"], DISTANCE_LOOKS, DISTANCE_LABELS)
    _legend_in_corner(figure, "outside lower left", "Distance", near)
    _legend_in_corner(
        figure, "outside lower right", "Images a class", _level_handles(pairs["data_level"], DATA_LOOKS, DATA_LABELS)
    )
    return figure


def metrics_data(evidence: Evidence) -> pd.DataFrame:
    """Figure 4's numbers: figure 2's, once for each metric that was measured, with the metric's correlation."""
    pairs = evidence.tune_over_freeze()
    found = correlations(evidence, pairs).set_index("metric").drop(columns=["pairs", "targets"]).add_prefix("rho_")
    found = found.rename(columns={"rho_rho": "rho"})
    shown = pairs.drop(columns=list(METRICS))
    tables = [shown.assign(metric=metric, distance=pairs[metric])[pairs[metric].notna()] for metric in METRICS]
    return pd.concat(tables).join(found, on="metric")


def metrics(evidence: Evidence) -> Figure:
    """Tuned over frozen accuracy of R(8) against each metric of distance, a panel a metric, with Spearman's rho."""
    everything = metrics_data(evidence)
    everything = everything[everything["ratio"] > 0]
    names = [metric for metric in METRICS if metric in set(everything["metric"])] or ["cosine"]
    best = everything["rho"].max()
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(WIDTH, 0.7 + 2.2 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        pairs = everything[everything["metric"] == name]
        _scatter(axes, pairs, "distance", "data_level", DATA_LOOKS, None)
        where, ratio = pairs["distance"].to_numpy(float), pairs["ratio"].to_numpy(float)
        span = np.ptp(where) if len(where) else 0
        axes.plot(*trend(where, ratio, METRIC_WINDOW * max(span, 1e-9)), "-", color=GREY, zorder=2)
        ratio_axis(axes, everything)
        # Said here, because points that are set aside do not count when matplotlib chooses.
        axes.set_xlim(*_around(where))
        axes.set_xlabel(METRICS[name].axis)
        axes.set_title(_correlation(pairs), fontweight="bold" if np.isclose(pairs["rho"], best).any() else "normal")
    for axes in grid.flat[len(names) :]:
        axes.remove()
    figure.supylabel("Tuned accuracy over frozen accuracy", fontsize="medium")
    _legend_under(figure, everything, lines=False)
    return figure


def _around(where: Floats) -> tuple[float, float]:
    """Limits of an axis that holds all of `where`."""
    low, high = (where.min(), where.max()) if len(where) else (0, 1)
    margin = 0.06 * (high - low) or 0.1 * high or 0.1
    return low - margin, high + margin


def _correlation(pairs: pd.DataFrame) -> str:
    if pairs.empty or np.isnan(pairs["rho"].iloc[0]):
        return "no correlation: fewer than three distances"
    rho, low, high = pairs[["rho", "rho_low", "rho_high"]].iloc[0]
    return f"Spearman's ρ = {rho:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")


def _scatter(
    axes: Axes, pairs: pd.DataFrame, x: str, level_column: str, looks: dict[Level, Look], window: float | None
) -> None:
    """Points with intervals, and, given a window, a trend line for each level that occurs.

    `x` is a distance, or n (whose window is in decades).
    """
    if pairs.empty:
        say(axes, "no pairs of experiments with a distance")
    for place, (level, (color, marker)) in enumerate(looks.items()):
        chosen = pairs[pairs[level_column] == level]
        where, ratio = chosen[x].to_numpy(float), chosen["ratio"].to_numpy(float)
        shifted = aside(axes, place, len(looks))
        # Of infinite ends only what fits the axes is seen.
        ends = chosen[["low", "high"]].clip(1e-9, 1e9).to_numpy()
        axes.vlines(where, *ends.T, color=color, linewidth=0.7, alpha=0.55, zorder=2, transform=shifted)
        axes.plot(where, ratio, marker, color=color, zorder=3, transform=shifted, **EDGE)
        if window is not None:
            places, means = trend(np.log10(where) if x == "n" else where, ratio, window)
            axes.plot(10**places if x == "n" else places, means, LINES[level], color=color, alpha=0.9, zorder=2)


def _drawable(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs that have a place on the axes: a known distance, and a ratio above 0 (they are logarithmic)."""
    fits = pairs["cosine"].notna() & (pairs["ratio"] > 0)
    for pair in pairs[~fits].itertuples():
        LOG.warning("%s, n %s: not drawn (cosine %s, ratio %s)", pair.target, pair.n, pair.cosine, pair.ratio)
    return pairs[fits]


def _distance_label(evidence: Evidence) -> str:
    """What the axis shows; where it is no measured distance, that it is none."""
    return "Distance (cosine, source's mean estimated)" if estimated(evidence.results) else "Distance (cosine)"


def _distance_axis(axes: Axes, cosines: "pd.Series[float]") -> None:
    # Starts a little below 0: the nearest target would be cut in half.
    end = max([*cosines, 0.1])
    axes.set_xlim(-0.03 * end, 1.06 * end)
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))


def _data_axis(axes: Axes, n: "pd.Series[int]") -> None:
    """A log axis of images a class with a dotted line where "large amounts of data" begin."""
    large = DATA_BOUNDS[1]
    low, high = min([*n, large]) / 1.4, max([*n, large]) * 1.4
    log_ticks(axes, [m * 10**e for e in range(6) for m in (1, 2, 5) if low <= m * 10**e <= high], low, high, 2.8)
    axes.axvline(large, color="0.25", linewidth=1, linestyle=":", zorder=1)


def _random_part(results: pd.DataFrame, depth: int) -> str:
    """R(8) or its like; several if the networks of a study differ in their number of blocks."""
    return " / ".join(results.loc[results["depth"] == depth, "random_part"].unique())


def _level_handles(present: "pd.Series[str]", looks: dict[Level, Look], labels: dict[Level, str]) -> list[Line2D]:
    """Legend entries of all levels that occur."""
    return [
        Line2D([], [], color=color, marker=marker, linestyle=LINES[level], label=labels[level], **EDGE)
        for level, (color, marker) in looks.items()
        if level in set(present)
    ]


def _legend_in_corner(
    figure: Figure, place: Literal["outside lower left", "outside lower right"], title: str, handles: list[Line2D]
) -> None:
    """A legend under one of two panels: of the figure, for the axes would shrink to the width of their own."""
    if handles:
        figure.legend(
            handles=handles, title=title, loc=place, ncols=3, fontsize=7,
            handlelength=3.2, handletextpad=0.4, columnspacing=1,
        )  # fmt: skip


def _legend_under(figure: Figure, pairs: pd.DataFrame, lines: bool = True) -> None:
    handles = _level_handles(pairs["data_level"], DATA_LOOKS, DATA_LABELS)
    for handle in handles if not lines else ():
        handle.set_linestyle("")
    if handles:
        figure.legend(handles=handles, title="Images a class", loc="outside lower center", ncols=3, handlelength=3.2)
