"""Figure 6 and table 4: how many of the copied blocks to freeze, where only the last block is new.

The paper asked for all or none; between them lie the schemes that freeze the first blocks and tune the rest.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.stats import spearmanr

from freeze_or_tune.analysis.show.panels import panel_title
from freeze_or_tune.analysis.show.sheets import Sheet
from freeze_or_tune.analysis.show.style import DATA_LOOKS, GREY, WIDTH, aside
from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.analysis.statistics.intervals import Evidence, interval
from freeze_or_tune.study.levels import Level
from freeze_or_tune.study.schemes import Scheme

_LINES = ("-", "--", ":", "-.")
"""Of the splits of one target that are of the same level of data."""


def has_depths(results: pd.DataFrame) -> bool:
    """Whether anything between frozen and tuned was tried."""
    return any(Scheme.parse(scheme).between for scheme in results["scheme"].unique())


def depths_data(evidence: Evidence) -> pd.DataFrame:
    """Figure 6's numbers: one row an experiment with one random block, nearest target first, by frozen blocks."""
    return _along(evidence.cells()).sort_values(["cosine", "target", "n", "frozen"], kind="stable")


def depths(evidence: Evidence) -> Figure:
    """Test accuracy against the number of frozen blocks: a panel a target, a line a split."""
    table = depths_data(evidence)
    targets = list(dict.fromkeys(table["target"]))
    columns = {1: 1, 2: 2, 4: 2}.get(len(targets), 3)
    rows = max(1, -(-len(targets) // columns))
    figure = Figure(figsize=(WIDTH, 0.8 + 2.1 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, target in zip(grid.flat, targets, strict=False):
        _panel(axes, table[table["target"] == target], WIDTH / columns - 0.6)
    for axes in grid.flat[len(targets) :]:
        axes.remove()
    figure.supxlabel("Frozen blocks, of those that are copied (0: all are tuned)", fontsize="medium")
    figure.supylabel("Test accuracy", fontsize="medium")
    handles = [
        Line2D([], [], color=color, marker=marker, label=f"{paper.DATA_NAMES[level]} ({paper.DATA_RANGES[level]})")
        for level, (color, marker) in DATA_LOOKS.items()
        if level in set(table["data_level"])
    ]
    handles.append(Line2D([], [], color=GREY, linewidth=0.8, label="chance"))
    figure.legend(handles=handles, title="Images a class", loc="outside upper center", ncols=4)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, inches: float) -> None:
    """One target; bars are 95 % intervals."""
    splits = list(table.groupby("n"))
    seen: dict[Level, int] = {}
    for place, (n, line) in enumerate(splits):
        level = line["data_level"].iloc[0]
        color, marker = DATA_LOOKS[level]
        style = _LINES[seen.get(level, 0) % len(_LINES)]
        seen[level] = seen.get(level, 0) + 1
        accuracy = line["test_accuracy"]
        axes.errorbar(
            line["frozen"], accuracy, yerr=[accuracy - line["low"], line["high"] - accuracy], color=color,
            marker=marker, markersize=4.2, linestyle=style, elinewidth=0.8, capsize=1.5,
            transform=aside(axes, place, len(splits)),
        )  # fmt: skip
        axes.annotate(
            f"n = {n}", (line["frozen"].iloc[-1], accuracy.iloc[-1]), (6, 0), textcoords="offset points",
            va="center", color=color, fontsize=7, annotation_clip=False,
        )  # fmt: skip
    most, chance = table["copied"].max(), 1 / table["classes"].iloc[0]
    axes.axhline(chance, color=GREY, linewidth=0.8, zorder=1)
    axes.set_xlim(-0.04 * most, 1.22 * most)  # room for what is written beside the lines
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= most])
    axes.set_ylim(0, min(1.03, 1.05 * max(table["high"].max(), chance)))
    axes.set_title(panel_title(table["target"].iloc[0], table["cosine"].iloc[0], inches + 0.5))


def best_depths(evidence: Evidence) -> pd.DataFrame:
    """One row a split of which both ends and something between them were tried.

    `best` is the share of frozen blocks that is most accurate on test (the mean of equals). `chosen` and `end` are what
    validation chooses among all, and among the two ends (of equals what freezes more); `gain` is the test accuracy of
    the one less that of the other, `gains` its draws.
    """
    val: dict[Any, float] = evidence.results.groupby(["target", "n", "scheme"])["val_accuracy"].mean().to_dict()
    rows: list[dict[str, Any]] = []
    groups: Any = depths_data(evidence).groupby(["target", "n"], sort=False)
    for (target, n), group in groups:
        if set(group["mode"]) != {"T", "FT", "F"}:
            continue
        table = group.assign(val=[val[target, n, scheme] for scheme in group["scheme"]])
        table = table.sort_values(["val", "frozen"], ascending=False)
        chosen, end = table.iloc[0], table[table["mode"] != "FT"].iloc[0]
        top = table[table["test_accuracy"] == table["test_accuracy"].max()]
        first = {name: group[name].iloc[0] for name in ("cosine", "distance_level", "data_level", "copied")}
        rows.append({
            "target": target, "n": n, **first, "experiments": len(group),
            "best": float((top["frozen"] / top["copied"]).mean()),
            "chosen": chosen["scheme"], "end": end["scheme"], "gain": chosen["test_accuracy"] - end["test_accuracy"],
            "gains": evidence.draws[target, n, chosen["scheme"]] - evidence.draws[target, n, end["scheme"]],
        })  # fmt: skip
    return pd.DataFrame(rows)


def table4(evidence: Evidence) -> Sheet:
    """Table 4: where between frozen and tuned the best depth lies, by distance and amount of data."""
    splits = best_depths(evidence)
    cells = pd.DataFrame(list(_cells(splits)))
    return Sheet("Table 4. How many of the copied blocks to freeze", cells, (
        "Only the last block is random. Best: the share of copied blocks that is frozen where test accuracy is "
        "highest, the median of the splits, and from the least to the most. Gain: points of test accuracy that "
        "validation wins by choosing among all depths and not between the two ends, with a 95 % interval over runs and "
        "test images.",
        _readable(cells),
        _trend(splits),
    ))  # fmt: skip


def _cells(splits: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """By level of distance and of data, as far as there are splits; the last is of all."""
    known = [] if splits.empty else list(splits.groupby(["distance_level", "data_level"], sort=False))
    rank = ["", *paper.LEVELS].index
    parts = [(levels, part) for levels, part in sorted(known, key=lambda pair: [rank(str(one)) for one in pair[0]])]
    for (near, much), part in [*parts, (("all", "all"), splits)] if parts else []:
        low, high = interval(np.mean(np.stack(list(part["gains"])), axis=0))
        yield {
            "distance_level": near, "data_level": much, "splits": len(part), "targets": part["target"].nunique(),
            "experiments": int(part["experiments"].sum()), "best_median": float(part["best"].median()),
            "best_least": float(part["best"].min()), "best_most": float(part["best"].max()),
            "gain": float(part["gain"].mean()), "gain_low": low, "gain_high": high,
        }  # fmt: skip


def _readable(cells: pd.DataFrame) -> pd.DataFrame | str:
    if cells.empty:
        return "There is no split of which both ends and something between them were tried."
    rows: list[Any] = list(cells.itertuples())
    return pd.DataFrame({
        "distance": cells["distance_level"], "data": cells["data_level"],
        "best": [f"{r.best_median:.2f} ({r.best_least:.2f} – {r.best_most:.2f})" for r in rows],
        "gain, points": [f"{100 * r.gain:+.1f} ({100 * r.gain_low:+.1f} – {100 * r.gain_high:+.1f})" for r in rows],
        **{name: cells[name].map(str) for name in ("splits", "targets", "experiments")},
    })  # fmt: skip


def _trend(splits: pd.DataFrame) -> str:
    """Whether the best depth moves with distance and data."""
    found = []
    for name, column in (("cosine distance", "cosine"), ("images a class", "n")):
        known = splits.dropna(subset=[column]) if column in splits else splits
        if len(known) > 2 and known[column].nunique() > 1 and known["best"].nunique() > 1:
            rho, p = spearmanr(known[column], known["best"])
            found.append(f"{rho:+.2f} with {name} (p = {p:.2f}, {len(known)} splits)")
    if not found:
        return "There are too few splits to say whether the best share moves with distance or data."
    return (
        f"Spearman's rank correlation of the best share: {'; '.join(found)}. The splits of a target are no independent "
        "witnesses: its p is too small."
    )


def _along(table: pd.DataFrame) -> pd.DataFrame:
    """Of a table with a row an experiment or a run: one random block, and no variant."""
    return table[(table["depth"] == 1) & (table["copied"] > 0) & (table["variant"] == "")]
