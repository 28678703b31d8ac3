"""Figure 3 of the paper: all raw accuracies, a panel a target."""

from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from freeze_or_tune.analysis.show.style import DEPTH_LOOKS, GREY, SCRATCH_LOOK, WIDTH, aside, log_ticks
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.study.schemes import Scheme


def accuracies_data(evidence: Evidence) -> pd.DataFrame:
    """Figure 3's numbers: one row an experiment, nearest target first; what the paper did not try is in Figure 6."""
    table = evidence.cells()
    plain = table["scheme"].map(lambda text: Scheme.parse(text).plain)
    return (table[plain] if plain.any() else table).sort_values("cosine", kind="stable")


def accuracies(evidence: Evidence) -> Figure:
    """Test accuracy against images a class, a panel a target from near to far, a line a scheme."""
    table = accuracies_data(evidence)
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
    """One target of figure 3; bars are 95 % intervals."""
    chance = 1 / table["classes"].iloc[0]
    for place, (scheme, look) in enumerate(looks.items()):
        line = table[table["scheme"] == scheme].sort_values("n")
        axes.errorbar(
            line["n"],
            line["test_accuracy"],
            yerr=[line["test_accuracy"] - line["low"], line["high"] - line["test_accuracy"]],
            elinewidth=0.8,
            capsize=1.5,
            transform=aside(axes, place, len(looks)),
            **look,
        )
    axes.axhline(chance, color=GREY, linewidth=0.8, zorder=1)
    ticks = sorted(set(table["n"]))
    margin = (ticks[-1] / ticks[0]) ** 0.08 if len(ticks) > 1 else 2
    log_ticks(axes, ticks, ticks[0] / margin, ticks[-1] * margin, inches)
    axes.set_ylim(0, min(1.03, 1.05 * max(table["high"].max(), chance)))
    axes.set_title(panel_title(table["target"].iloc[0], table["cosine"].iloc[0], inches + 0.5))


def panel_title(target: str, cosine: float, inches: float) -> str:
    """Target and distance, over so many lines that they do not run into the panel beside it."""
    letters = int(inches / 0.078)
    far = "" if np.isnan(cosine) else f"(distance {cosine:.3f})"
    title = f"{target} {far}".rstrip()
    # Some room for names of wide letters.
    return title if len(title) <= letters else f"{fill(target, letters - 3)}\n{far}".rstrip()


def _scheme_looks(table: pd.DataFrame) -> dict[str, Any]:
    """Line properties by scheme, tune before freeze: colour and marker say the depth, filling the mode."""
    schemes = [Scheme.parse(text) for text in table["scheme"].unique()]
    schemes.sort(key=lambda scheme: (scheme.depth, scheme.frozen))
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
