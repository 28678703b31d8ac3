"""Figure 5, not in the paper: how much of the answer is the learning rate, from candidates.csv."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

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

    Of the decays the solver's own is shown. `one_rate` is yes for the solver's own values, `chosen` the fraction of
    runs that chose these. A row without a rate is of what was chosen and has none: the average, or a solved classifier.
    `ratio` is tuned over frozen accuracy at the same rate of new layers, if both tried it.
    """
    shown = candidates[(candidates["depth"] == 1) & candidates["mode"].isin(list(MODE_NAMES))]
    own = shown[shown["one_rate"] == "yes"].groupby(CELL)["weight_decay"].first()
    decays = own.loc[pd.MultiIndex.from_frame(shown[CELL])].to_numpy()
    chosen, rated = shown["chosen"] == "yes", shown["learning_rate"].notna()
    shown = shown.assign(chosen=chosen)[(rated & (shown["weight_decay"].to_numpy() == decays)) | (chosen & ~rated)]
    keys = [*CELL, "copied_rate", "learning_rate"]
    # Of a candidate that was stopped in some runs, the others count.
    ended = (shown["stopped"] == "").groupby([shown[key] for key in keys], dropna=False).transform("any")
    shown = shown[(shown["stopped"] == "") | ~ended]
    data = shown.groupby(keys, as_index=False, sort=False, dropna=False).agg(
        data_level=("data_level", "first"), distance_level=("distance_level", "first"), runs=("run", "nunique"),
        test_accuracy=("test_accuracy", "mean"), stopped=("stopped", "first"), one_rate=("one_rate", "first"),
        chosen=("chosen", "mean"),
    )  # fmt: skip
    frozen = data[data["mode"] == "F"].set_index(["target", "n", "learning_rate"])["test_accuracy"]
    data = data.join(frozen.replace(0, np.nan).rename("frozen_accuracy"), on=["target", "n", "learning_rate"])
    ended = (data["mode"] == "T") & (data["stopped"] == "") & data["learning_rate"].notna()
    data["ratio"] = (data["test_accuracy"] / data.pop("frozen_accuracy")).where(ended)
    return data.sort_values(["target", "n", "mode", "copied_rate", "learning_rate"], kind="stable")


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
    dashes = _dashes(data)
    least, most = data["learning_rate"].min(), data["learning_rate"].max()
    ticks = [10.0**exponent for exponent in range(-7, 4) if least / 2 <= 10.0**exponent <= most * 2]
    for level, above, below in zip(levels, *grid, strict=True):
        _accuracies(above, data[data["data_level"] == level], dashes)
        _ratios(below, pairs[pairs["data_level"] == level], dashes)
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
    figure.legend(handles=_handles(), loc="outside upper center", ncols=2, handlelength=2.6)
    return figure


def _dashes(data: pd.DataFrame) -> dict[Any, str]:
    """How a line is drawn by the rate of copied layers: that of the one rate whole."""
    own = data.loc[(data["one_rate"] == "yes") & (data["mode"] == "T"), "copied_rate"].tolist()
    return {rate: "-" if rate in own else "--" for rate in data["copied_rate"].dropna().unique()}


def _accuracies(axes: Axes, data: pd.DataFrame, dashes: dict[Any, str]) -> None:
    edge = data["learning_rate"].max() * EDGE
    for (_, _, mode, copied_rate), line in data.groupby([*CELL, "copied_rate"], sort=False, dropna=False):
        look, dash = LOOKS[str(mode)], dashes.get(copied_rate, "-")
        whole, stopped = line[line["stopped"] == ""], line[line["stopped"] == "yes"]
        axes.plot(whole["learning_rate"], whole["test_accuracy"], dash, color=look.color, linewidth=0.8, alpha=0.75)
        axes.scatter(whole["learning_rate"], whole["test_accuracy"], 4, color=look.color)
        axes.scatter(stopped["learning_rate"], stopped["test_accuracy"], 9, color=look.color, marker="x", linewidth=0.7)
        taken = line[line["chosen"] > 0]
        sizes = (3 + 3 * taken["chosen"]) ** 2
        x = taken["learning_rate"].fillna(edge)
        axes.scatter(x, taken["test_accuracy"], sizes, color=look.color, marker=look.marker, alpha=0.8)


def _ratios(axes: Axes, pairs: pd.DataFrame, dashes: dict[Any, str]) -> None:
    splits = len(pairs.drop_duplicates(["target", "n"]))
    for (*_, copied_rate), line in pairs.groupby(["target", "n", "copied_rate"], sort=False):
        axes.plot(line["learning_rate"], line["ratio"], dashes[copied_rate], color=GREY, linewidth=0.8, marker=".")
    for copied_rate, line in pairs.groupby("copied_rate"):
        by_rate = line.groupby("learning_rate")["ratio"]
        everywhere = by_rate.size() == splits  # else it would be one of other splits
        means = by_rate.agg(lambda values: geometric_mean(values.to_numpy()))[everywhere]
        axes.plot(means.index, means, str(dashes[copied_rate]), color="black", linewidth=2, marker="o", markersize=3)


def _best(data: pd.DataFrame) -> np.ndarray:
    """Ratios of the splits of what was chosen, whatever its rate: means over runs."""
    weighted = (data["test_accuracy"] * data["chosen"]).groupby([data[name] for name in CELL]).sum()
    chosen = (weighted / data.groupby(CELL)["chosen"].sum()).unstack("mode").reindex(columns=["T", "F"])
    ratio = (chosen["T"] / chosen["F"]).to_numpy()
    return ratio[np.isfinite(ratio) & (ratio > 0)]


def _handles() -> list[Line2D]:
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
        Line2D([], [], color=GREY, linestyle="--", label="another rate of copied layers"),
        Line2D([], [], color="black", marker="D", linestyle="", label="geometric mean, each at its best"),
    ]
