"""Figure 5, not in the paper: how much of the answer is the learning rate, from candidates.csv."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from freeze_or_tune.analysis.results.candidates import read_candidates
from freeze_or_tune.analysis.results.provenance import Provenance
from freeze_or_tune.analysis.show.figures import DATA_LABELS, MODE_NAMES
from freeze_or_tune.analysis.show.sheets import write_csv
from freeze_or_tune.analysis.show.style import DEPTH_LOOKS, GREY, WIDTH, log_ticks, ratio_axis, write_figure
from freeze_or_tune.analysis.statistics.verdicts import geometric_mean

LOOKS: dict[str, Any] = {"T": DEPTH_LOOKS[0], "F": DEPTH_LOOKS[1]}
CELL = ["target", "n", "mode"]
LINE = ["method", "copied_rate"]
"""Rates that were tried with the same of these are joined by a line."""
OTHERS: dict[Literal["--", "-."], str] = {"--": "another rate of copied layers", "-.": "another method"}
Dash = Callable[..., str]
EDGE = 1.9
"""What was chosen and has no rate stands at so many times the largest one."""


def rates(path: Path, outputs: Sequence[Path]) -> None:
    """Write figure 5 of a candidates.csv: each output in the format of its suffix, .csv its data."""
    candidates = read_candidates(path)
    origin = Provenance.of("fig5", path, candidates)
    pictures = [output for output in outputs if output.suffix not in (".csv", ".json")]
    write_figure(partial(draw_rates, candidates), pictures, title="Figure 5", subject=origin.words)
    for output in outputs:
        if output.suffix == ".csv":
            write_csv(rates_data(candidates), output)
        elif output.suffix == ".json":
            origin.write(output)


def rates_data(candidates: pd.DataFrame) -> pd.DataFrame:
    """A row for each rate that T or F of R(8) tried on a split: means over runs.

    Of the decays the first of each method is shown, of the solver's method its own. `one_rate` is yes for the solver's
    own values, `chosen` the fraction of runs that chose these. A row without a rate is of what was chosen and has none:
    the average, or a solved classifier. `ratio` is tuned over frozen accuracy by the same method at the same rate of
    new layers, if both tried it.
    """
    plain = (candidates["depth"] == 1) & (candidates["variant"] == "")
    shown = candidates[plain & candidates["mode"].isin(list(MODE_NAMES))]
    decays = shown.groupby([*CELL, "method"])["weight_decay"].transform("first")
    chosen, rated = shown["chosen"] == "yes", shown["learning_rate"].notna()
    shown = shown.assign(chosen=chosen)[(rated & (shown["weight_decay"] == decays)) | (chosen & ~rated)]
    keys = [*CELL, *LINE, "learning_rate"]
    # Of a candidate that was stopped in some runs, the others count.
    ended = (shown["stopped"] == "").groupby([shown[key] for key in keys], dropna=False).transform("any")
    shown = shown[(shown["stopped"] == "") | ~ended]
    data = shown.groupby(keys, as_index=False, sort=False, dropna=False).agg(
        data_level=("data_level", "first"), distance_level=("distance_level", "first"), runs=("run", "nunique"),
        test_accuracy=("test_accuracy", "mean"), stopped=("stopped", "first"), one_rate=("one_rate", "first"),
        chosen=("chosen", "mean"),
    )  # fmt: skip
    if data.empty:  # which pandas cannot join by text where pyarrow keeps it
        return data.assign(ratio=np.nan)
    same = ["target", "n", "method", "learning_rate"]
    frozen = data[data["mode"] == "F"].set_index(same)["test_accuracy"]
    data = data.join(frozen.replace(0, np.nan).rename("frozen_accuracy"), on=same)
    ended = (data["mode"] == "T") & (data["stopped"] == "") & data["learning_rate"].notna()
    data["ratio"] = (data["test_accuracy"] / data.pop("frozen_accuracy")).where(ended)
    return data.sort_values([*CELL, *LINE, "learning_rate"], kind="stable")


def draw_rates(candidates: pd.DataFrame) -> Figure:
    """Above, accuracy against the rate, a line a split and mode; below, tuned over frozen; a column a level of data."""
    data = rates_data(candidates)
    levels = [level for level in DATA_LABELS if level in set(data["data_level"])]
    figure = Figure(figsize=(WIDTH, 5), layout="constrained")
    if not levels:
        figure.text(0.5, 0.5, "No candidates of R(8)", ha="center", color=GREY)
        return figure
    grid = figure.subplots(2, len(levels), sharex=True, sharey="row", squeeze=False)
    pairs = data.dropna(subset="ratio").assign(low=np.nan, high=np.nan)
    pairs = pairs[pairs["ratio"] > 0]
    dash = partial(_dash, data)
    least, most = data["learning_rate"].min(), data["learning_rate"].max()
    ticks = [10.0**exponent for exponent in range(-7, 4) if least / 2 <= 10.0**exponent <= most * 2]
    for level, above, below in zip(levels, *grid, strict=True):
        _accuracies(above, data[data["data_level"] == level], dash)
        _ratios(below, pairs[pairs["data_level"] == level], dash)
        best = _best(data[data["data_level"] == level])
        below.plot([most * EDGE] * len(best), best, ".", color=GREY)
        if len(best):
            below.plot(most * EDGE, geometric_mean(best), "D", color="black", markersize=6)
        above.set_title(DATA_LABELS[level] + " data", fontsize="medium")
        log_ticks(below, ticks, least / 1.5, most * EDGE * 1.3, WIDTH / len(levels) - 0.5)
        ratio_axis(below, pairs if len(pairs) else pd.DataFrame({"ratio": [1.0], "low": [np.nan], "high": [np.nan]}))
        for axes in (above, below):
            for rate in data.loc[data["one_rate"] == "yes", "learning_rate"].unique():
                axes.axvline(rate, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
    grid[0][0].set_ylabel("Test accuracy of R(8)")
    grid[1][0].set_ylabel("Tuned over frozen accuracy\nat the same rate")
    figure.supxlabel("Learning rate of the new layers (log scale)", fontsize="medium")
    figure.legend(handles=_handles(data), loc="outside upper center", ncols=2, handlelength=2.6)
    return figure


def _dash(data: pd.DataFrame, method: str, copied_rate: float) -> str:
    """How a line is drawn: whole with the method and the rate of copied layers of the one rate."""
    one_rate = data[data["one_rate"] == "yes"]
    if method and method not in one_rate["method"].to_numpy():
        return "-."
    return "-" if pd.isna(copied_rate) or copied_rate in one_rate["copied_rate"].to_numpy() else "--"


def _accuracies(axes: Axes, data: pd.DataFrame, dash: Dash) -> None:
    edge = data["learning_rate"].max() * EDGE
    for (_, _, mode, *key), line in data.groupby([*CELL, *LINE], sort=False, dropna=False):
        look = LOOKS[str(mode)]
        whole, stopped = line[line["stopped"] == ""], line[line["stopped"] == "yes"]
        axes.plot(
            whole["learning_rate"], whole["test_accuracy"], dash(*key), color=look.color, linewidth=0.8, alpha=0.75
        )
        axes.scatter(whole["learning_rate"], whole["test_accuracy"], 4, color=look.color)
        axes.scatter(stopped["learning_rate"], stopped["test_accuracy"], 9, color=look.color, marker="x", linewidth=0.7)
        taken = line[line["chosen"] > 0]
        sizes = (3 + 3 * taken["chosen"]) ** 2
        x = taken["learning_rate"].fillna(edge)
        axes.scatter(x, taken["test_accuracy"], sizes, color=look.color, marker=look.marker, alpha=0.8)


def _ratios(axes: Axes, pairs: pd.DataFrame, dash: Dash) -> None:
    splits = len(pairs.drop_duplicates(["target", "n"]))
    for (_, _, *key), line in pairs.groupby(["target", "n", *LINE], sort=False):
        axes.plot(line["learning_rate"], line["ratio"], dash(*key), color=GREY, linewidth=0.8, marker=".")
    for both, line in pairs.groupby(LINE):
        by_rate = line.groupby("learning_rate")["ratio"]
        everywhere = by_rate.size() == splits  # else it would be one of other splits
        means = by_rate.agg(lambda values: geometric_mean(values.to_numpy()))[everywhere]
        axes.plot(means.index, means, dash(*both), color="black", linewidth=2, marker="o", markersize=3)


def _best(data: pd.DataFrame) -> np.ndarray:
    """Ratios of the splits of what was chosen, whatever its rate: means over runs."""
    weighted = (data["test_accuracy"] * data["chosen"]).groupby([data[name] for name in CELL]).sum()
    chosen = (weighted / data.groupby(CELL)["chosen"].sum()).unstack("mode").reindex(columns=["T", "F"])
    ratio = (chosen["T"] / chosen["F"]).to_numpy()
    return ratio[np.isfinite(ratio) & (ratio > 0)]


def _handles(data: pd.DataFrame) -> list[Line2D]:
    drawn = {_dash(data, *key) for key in data[LINE].drop_duplicates().itertuples(index=False)}
    marks = [
        Line2D(
            [],
            [],
            color=LOOKS[mode].color,
            marker=LOOKS[mode].marker,
            label=f"{name}; marker: chosen (right edge: no rate)",
        )
        for mode, name in MODE_NAMES.items()
    ]
    return [
        *marks,
        Line2D([], [], color=GREY, linestyle=":", label="the one rate"),
        Line2D([], [], color="black", marker="x", linestyle="", label="stopped on the way"),
        Line2D([], [], color=GREY, label="a split"),
        Line2D([], [], color="black", marker="o", linewidth=2, label="geometric mean of all splits of a level"),
        *(Line2D([], [], color=GREY, linestyle=line, label=label) for line, label in OTHERS.items() if line in drawn),
        Line2D([], [], color="black", marker="D", linestyle="", label="geometric mean, each at its best"),
    ]
