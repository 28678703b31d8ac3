"""Figures 1-3 of the paper from experiments.csv, each written in every format asked for."""

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from freeze_or_tune.analysis import paper
from freeze_or_tune.analysis.results import (
    MODES,
    cells,
    copy_over_random,
    deeper,
    estimated,
    read_results,
    tune_over_freeze,
)
from freeze_or_tune.analysis.style import (
    DATA_LOOKS,
    DEPTH_LOOKS,
    DISTANCE_LOOKS,
    GREY,
    SCRATCH_LOOK,
    WIDTH,
    Look,
    aside,
    log_ticks,
    ratio_axis,
    say,
    write_figure,
)
from freeze_or_tune.analysis.trend import trend
from freeze_or_tune.levels import DATA_BOUNDS, Level
from freeze_or_tune.schemes import Mode, Scheme

LOG = logging.getLogger(__name__)

DISTANCE_WINDOW = 0.15
"""Sigma of the trend lines over cosine distance."""

DATA_WINDOW = 0.5
"""Sigma of the trend lines over images a class, in decades (a factor of about 3)."""

EDGE: Any = {"markeredgecolor": "white", "markeredgewidth": 0.6}
"""Keeps points apart where they overlap."""

MODE_NAMES: dict[Mode, str] = {"T": "Fine-tune (T)", "F": "Freeze (F)"}
DISTANCE_LABELS = {k: f"{paper.DISTANCE_NAMES[k]} ({paper.DISTANCE_RANGES[k]})" for k in paper.LEVELS}
DATA_LABELS = {k: f"{paper.DATA_NAMES[k]} ({paper.DATA_RANGES[k]})" for k in paper.LEVELS}


def figure1(results_csv: Path, outputs: Sequence[Path]) -> None:
    """Figure 1: is it better to copy all blocks but the last, or to start more of them from random values?"""
    write_figure(partial(copying, read_results(results_csv)), outputs)


def figure2(results_csv: Path, outputs: Sequence[Path]) -> None:
    """Figure 2: is it better to fine-tune the copied blocks or to freeze them?"""
    write_figure(partial(tuning, read_results(results_csv)), outputs)


def figure3(results_csv: Path, outputs: Sequence[Path]) -> None:
    """Figure 3: all raw accuracies, one panel a target."""
    write_figure(partial(accuracies, read_results(results_csv)), outputs)


def copying(results: pd.DataFrame) -> Figure:
    """Accuracy of R(8) over that of the next depths, against distance: a row a depth, a column a mode."""
    depths = deeper(results) or [3]
    pairs = {(d, m): _drawable(copy_over_random(results, d, m)) for d in depths for m in MODE_NAMES}
    everything = pd.concat(pairs.values())
    figure = Figure(figsize=(WIDTH, 0.7 + 2.1 * len(depths)), layout="constrained")
    grid = figure.subplots(len(depths), 2, sharex=True, sharey="row", squeeze=False)
    for depth, row in zip(depths, grid, strict=True):
        of_row = [ratio for mode in MODE_NAMES for ratio in pairs[depth, mode]["ratio"]]
        for mode, axes in zip(MODE_NAMES, row, strict=True):
            _scatter(axes, pairs[depth, mode], "cosine", "data_level", DATA_LOOKS, DISTANCE_WINDOW)
            ratio_axis(axes, of_row)
            _distance_axis(axes, everything["cosine"])
        below = _random_part(results, depth) or "more random blocks"
        row[0].set_ylabel(f"{_random_part(results, 1)} accuracy\nover {below} accuracy")
    for mode, top, bottom in zip(MODE_NAMES, grid[0], grid[-1], strict=True):
        top.set_title(MODE_NAMES[mode])
        bottom.set_xlabel(_distance_label(results))
    handles = _level_handles(everything["data_level"], DATA_LOOKS, DATA_LABELS)
    if handles:
        figure.legend(handles=handles, title="Images a class", loc="outside lower center", ncols=3)
    return figure


def tuning(results: pd.DataFrame) -> Figure:
    """Tuned over frozen accuracy of R(8), against images a class and against distance."""
    pairs = _drawable(tune_over_freeze(results))
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _scatter(left, pairs, "n", "distance_level", DISTANCE_LOOKS, DATA_WINDOW)
    _scatter(right, pairs, "cosine", "data_level", DATA_LOOKS, DISTANCE_WINDOW)
    for axes in (left, right):
        ratio_axis(axes, list(pairs["ratio"]))
    _data_axis(left, pairs["n"])
    _distance_axis(right, pairs["cosine"])
    left.set_ylabel("Tuned accuracy over frozen accuracy")
    left.set_xlabel("Images a class (log scale)")
    right.set_xlabel(_distance_label(results))
    _legend_below(left, "Distance", _level_handles(pairs["distance_level"], DISTANCE_LOOKS, DISTANCE_LABELS))
    _legend_below(right, "Images a class", _level_handles(pairs["data_level"], DATA_LOOKS, DATA_LABELS))
    return figure


def accuracies(results: pd.DataFrame) -> Figure:
    """Test accuracy against images a class, a panel a target from near to far, a line a scheme."""
    table = cells(results).sort_values("cosine", kind="stable")
    targets = list(dict.fromkeys(table["target"]))
    columns = {1: 1, 2: 2, 4: 2}.get(len(targets), 3)
    rows = -(-len(targets) // columns)
    figure = Figure(figsize=(WIDTH, 0.7 + 2.1 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    looks = _scheme_looks(table)
    for axes, target in zip(grid.flat, targets, strict=False):
        _accuracy_panel(axes, table[table["target"] == target], looks, WIDTH / columns - 0.6)
    for axes in grid.flat[len(targets) :]:
        axes.remove()
    figure.supxlabel("Images a class (log scale)", fontsize="medium")
    figure.supylabel("Test accuracy", fontsize="medium")
    handles = [Line2D([], [], label=Scheme.parse(scheme).paper, **look) for scheme, look in looks.items()]
    handles.append(Line2D([], [], color=GREY, linewidth=0.8, label="chance"))
    figure.legend(handles=handles, loc="outside upper center", ncols=-(-len(handles) // 2), handlelength=3.4)
    return figure


def _accuracy_panel(axes: Axes, table: pd.DataFrame, looks: dict[str, Any], inches: float) -> None:
    """One target of figure 3; bars are the standard deviation over runs."""
    chance = 1 / table["classes"].iloc[0]
    for place, (scheme, look) in enumerate(looks.items()):
        line = table[table["scheme"] == scheme].sort_values("n")
        bars = line["test_std"].fillna(0) if (line["runs"] > 1).any() else None
        axes.errorbar(
            line["n"],
            line["test_accuracy"],
            yerr=bars,
            elinewidth=0.8,
            capsize=1.5,
            transform=aside(axes, place, len(looks)),
            **look,
        )
    axes.axhline(chance, color=GREY, linewidth=0.8, zorder=1)
    ticks = sorted(set(table["n"]))
    margin = (ticks[-1] / ticks[0]) ** 0.08 if len(ticks) > 1 else 2
    log_ticks(axes, ticks, ticks[0] / margin, ticks[-1] * margin, inches)
    axes.set_ylim(0, min(1.03, 1.15 * max(table["test_accuracy"].max(), chance)))
    cosine = table["cosine"].iloc[0]
    about = "about " if estimated(table) else ""
    axes.set_title(f"{table['target'].iloc[0]}" + ("" if np.isnan(cosine) else f" (distance {about}{cosine:.3f})"))


def _scheme_looks(table: pd.DataFrame) -> dict[str, Any]:
    """Line properties by scheme, tune before freeze: colour and marker say the depth, filling the mode."""
    schemes = [Scheme.parse(text) for text in table["scheme"].unique()]
    schemes.sort(key=lambda scheme: (scheme.depth, MODES.index(scheme.mode or "")))
    depths = list(dict.fromkeys(scheme.depth for scheme in schemes))
    looks: dict[str, Any] = {}
    for scheme in schemes:
        color, marker = DEPTH_LOOKS[depths.index(scheme.depth) % len(DEPTH_LOOKS)] if scheme.mode else SCRATCH_LOOK
        frozen = scheme.mode == "F"
        looks[str(scheme)] = {
            "color": color, "marker": marker, "markersize": 4.8, "linestyle": "--" if frozen else "-",
            "markerfacecolor": "white" if frozen else color,
        }  # fmt: skip
    return looks


def _scatter(
    axes: Axes, pairs: pd.DataFrame, x: str, level_column: str, looks: dict[Level, Look], window: float
) -> None:
    """Points and a trend line for each level that occurs; `x` is cosine, or n (whose window is in decades)."""
    if pairs.empty:
        say(axes, "no pairs of experiments to compare")
    for place, (level, (color, marker)) in enumerate(looks.items()):
        chosen = pairs[pairs[level_column] == level]
        where, ratio = chosen[x].to_numpy(float), chosen["ratio"].to_numpy(float)
        axes.plot(where, ratio, marker, color=color, zorder=3, transform=aside(axes, place, len(looks)), **EDGE)
        places, means = trend(np.log10(where) if x == "n" else where, ratio, window)
        axes.plot(10**places if x == "n" else places, means, "-", color=color, alpha=0.8, zorder=2)


def _drawable(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs that have a place on the axes: a known distance, and a ratio above 0 (they are logarithmic)."""
    fits = pairs["cosine"].notna() & (pairs["ratio"] > 0)
    for pair in pairs[~fits].itertuples():
        LOG.warning("%s, n %s: not drawn (cosine %s, ratio %s)", pair.target, pair.n, pair.cosine, pair.ratio)
    return pairs[fits]


def _distance_label(results: pd.DataFrame) -> str:
    """What the axis shows; where it is no measured distance, that it is none."""
    return "Distance (cosine, source's mean estimated)" if estimated(results) else "Distance (cosine)"


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
        Line2D([], [], color=color, marker=marker, linestyle="", label=labels[level], **EDGE)
        for level, (color, marker) in looks.items()
        if level in set(present)
    ]


def _legend_below(axes: Axes, title: str, handles: list[Line2D]) -> None:
    if handles:
        axes.legend(
            handles=handles, title=title, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3, fontsize=7,
            handlelength=0.8, handletextpad=0.4, columnspacing=1,
        )  # fmt: skip
