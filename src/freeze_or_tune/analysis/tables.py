"""Tables 1-3 of the paper from experiments.csv: each as a CSV to compute with and a Markdown page to read.

The rule behind our table 3. A pair is T(1-7)R(8) and F(1-7)R(8) on one target with the same images a class; its ratio
is the tuned accuracy over the frozen one. A cell says "Tune" if the geometric mean of its ratios is at least 1.01 and
none is below 0.99; "Freeze" if the mean is at most 1/1.01 and none is above 1/0.99; else "Try Freeze or Tune".
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau
from tabulate import tabulate

from freeze_or_tune.analysis import paper
from freeze_or_tune.analysis.results import estimated, read_results, tune_over_freeze
from freeze_or_tune.files import replacing, write_text

GAIN = 1.01
"""A mean ratio this far from 1 is a difference."""

SLACK = 0.99
"""One ratio this far on the wrong side of 1 spoils a recommendation."""

RULE = (
    f"The rule: a pair is T(1-7)R(8) and F(1-7)R(8) on one target with the same images a class; its ratio is the tuned "
    f'accuracy over the frozen one. "Tune" if the geometric mean of a cell\'s ratios is at least {GAIN} and none is '
    f'below {SLACK}; "Freeze" if the mean is at most 1/{GAIN} and none is above 1/{SLACK}; else "Try Freeze or Tune".'
)
METRICS = {"cosine": "cosine distance", "mmd": "MMD", "svm": "linear SVM (%)", "cnn": "CNN (%)"}


def table1(results_csv: Path, csv: Path, markdown: Path) -> None:
    """Table 1: targets and their splits, in images a class."""
    table = splits(read_results(results_csv))
    headers = {"val": "validation", "categories": "# categories"}
    _write_csv(table, csv)
    write_text(
        markdown,
        f"# Table 1. Targets and their splits\n\nImages a class.\n\n{_grid(table.rename(columns=headers))}\n",
    )


def table2(results_csv: Path, csv: Path, markdown: Path) -> None:
    """Table 2: distance between source and target by four metrics, ours and the paper's."""
    read = read_results(results_csv)
    table = distances(read)
    _write_csv(table, csv)
    page = [
        "# Table 2. Distance between source and target",
        "SVM and CNN: held-out accuracy of telling source from target, ± its standard error.",
        _grid(_readable(table)),
        "Kendall's tau of each metric against cosine distance: 1 is the same ordering of the targets, -1 the opposite.",
        _grid(agreement(table).map(_number)),
        *_estimates(read),
    ]
    write_text(markdown, "\n\n".join(page) + "\n")


def table3(results_csv: Path, csv: Path, markdown: Path) -> None:
    """Table 3: freeze or tune, by distance and amount of data, ours and the paper's."""
    read = read_results(results_csv)
    table = recommendations(tune_over_freeze(read))
    _write_csv(table, csv)
    ours = {(row.distance_level, row.data_level): _verdict(row) for row in table.itertuples()}
    page = [
        "# Table 3. Freeze or tune all blocks but the last",
        "Down: cosine distance. Across: images a class. In brackets: the geometric mean of the ratios, and how many.",
        _level_grid(ours),
        RULE,
        f"What {paper.NAME} recommend:",
        _level_grid(dict(paper.ADVICE)),
        *_estimates(read),
    ]
    write_text(markdown, "\n\n".join(page) + "\n")


def _estimates(results: pd.DataFrame) -> list[str]:
    """What a reader must know where a source's images were not there."""
    names = estimated(results)
    if not names:
        return []
    return [
        f"The cosine distance of {', '.join(names)} is to an estimate: the images of the source were not there, so its "
        "mean features are those that the statistics of its last batch norm imply."
    ]


def splits(results: pd.DataFrame) -> pd.DataFrame:
    """One row a target: source, dataset, categories, and images a class for validation, test and training."""
    rows = []
    for target, group in results.groupby("target", sort=False):
        first = group.iloc[0]
        rows.append({
            "target": target, "source": first["source"], "dataset": first["dataset"], "categories": first["classes"],
            "val": first["val_per_class"], "test": first["test_per_class"],
            "train": ", ".join(map(str, sorted(set(group["n"])))),
        })  # fmt: skip
    return pd.DataFrame(rows)


def distances(results: pd.DataFrame) -> pd.DataFrame:
    """One row a target, nearest first, then the paper's seven; svm and cnn are accuracies in [0, 1]."""
    columns = ["target", "cosine", "mmd", "svm", "svm_error", "cnn", "cnn_error"]
    ours = results.drop_duplicates("target").sort_values("cosine", kind="stable")
    theirs = pd.DataFrame(paper.DISTANCES, columns=["target", "cosine", "mmd", "svm", "cnn"])
    return pd.concat([
        ours[columns].assign(measured_by=ours["study"]),
        theirs.reindex(columns=columns).assign(measured_by=paper.NAME),
    ], ignore_index=True)  # fmt: skip


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau of mmd, svm and cnn against cosine, a row a measurer; NaN for fewer than two targets."""
    rows = []
    for name, group in table.groupby("measured_by", sort=False):
        taus = {METRICS[m].removesuffix(" (%)"): _tau(group[["cosine", m]].dropna()) for m in ("mmd", "svm", "cnn")}
        rows.append({"measured by": name, "targets": str(len(group)), **taus})
    return pd.DataFrame(rows)


def _tau(pair: pd.DataFrame) -> float:
    return float(kendalltau(*pair.to_numpy().T).statistic) if len(pair) > 1 else np.nan


def recommendations(ratios: pd.DataFrame) -> pd.DataFrame:
    """One row for each distance and data level: advice by this module's rule, and whether the paper agrees."""
    rows = []
    for (distance, data), theirs in paper.ADVICE.items():
        cell = ratios[(ratios["distance_level"] == distance) & (ratios["data_level"] == data)]["ratio"].to_numpy()
        mean = geometric_mean(cell)
        ours = recommend(cell)
        rows.append({
            "distance_level": distance, "data_level": data, "advice": ours, "pairs": len(cell),
            "geometric_mean": mean, "min": min(cell, default=np.nan), "max": max(cell, default=np.nan),
            "paper": theirs, "agrees": _agrees(ours, theirs),
        })  # fmt: skip
    return pd.DataFrame(rows)


def geometric_mean(ratios: Sequence[float] | np.ndarray) -> float:
    """Geometric mean of ratios >= 0; NaN if there are none."""
    if not len(ratios):
        return np.nan
    with np.errstate(divide="ignore"):
        return float(np.exp(np.mean(np.log(ratios))))


def recommend(ratios: Sequence[float] | np.ndarray) -> str:
    """Advice from tuned over frozen accuracies, by this module's rule."""
    if not len(ratios):
        return "no experiments"
    # Rounded, so that a ratio of exactly 1.01 counts whatever the logarithm does to its last digit.
    mean, low, high = np.round([geometric_mean(ratios), min(ratios), max(ratios)], 9)
    if mean >= GAIN and low >= SLACK:
        return "Tune"
    if mean <= round(1 / GAIN, 9) and high <= round(1 / SLACK, 9):
        return "Freeze"
    return "Try Freeze or Tune"


def _agrees(ours: str, theirs: str) -> str:
    if ours == "no experiments":
        return ""
    if ours == theirs:
        return "yes"
    return "partly" if "Try Freeze or Tune" in (ours, theirs) else "no"


def _verdict(row: Any) -> str:
    if not row.pairs:
        return str(row.advice)
    return f"{row.advice} ({row.geometric_mean:.3f}, {row.pairs} pair{'s' if row.pairs > 1 else ''})"


def _level_grid(cells: dict[Any, str]) -> str:
    headers = ["", *(f"{level} ({paper.DATA_RANGES[level]})" for level in paper.LEVELS)]
    rows = [
        [f"{near} ({paper.DISTANCE_RANGES[near]})", *(cells[near, data] for data in paper.LEVELS)]
        for near in paper.LEVELS
    ]
    return str(tabulate(rows, headers, tablefmt="pipe", disable_numparse=True))


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    text = pd.DataFrame({"target": table["target"]})
    text[METRICS["cosine"]] = table["cosine"].map(_number)
    text[METRICS["mmd"]] = table["mmd"].map("{:#.3g}".format, na_action="ignore")
    for metric in ("svm", "cnn"):
        pairs = zip(table[metric], table[f"{metric}_error"], strict=True)
        text[METRICS[metric]] = [_percent(value, error) for value, error in pairs]
    return text.assign(**{"measured by": table["measured_by"]}).fillna("–")


def _percent(value: float, error: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{100 * value:.1f}" + ("" if np.isnan(error) else f" ± {100 * error:.1f}")


def _number(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "–" if np.isnan(value) else f"{value:.3f}"


def _grid(table: pd.DataFrame) -> str:
    return str(tabulate(table, headers="keys", tablefmt="pipe", showindex=False, disable_numparse=True))


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
