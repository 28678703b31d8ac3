"""Tables 1-3 of the paper (and all tables there are) from experiments.csv, each as a page of text with its numbers."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from freeze_or_tune.analysis.results.columns import COUNTS, DISTANCES
from freeze_or_tune.analysis.results.table import estimated
from freeze_or_tune.analysis.show.depths import table4
from freeze_or_tune.analysis.show.sheets import Sheet
from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.analysis.statistics.verdicts import NONE, RULE, recommendations
from freeze_or_tune.study.metrics import METRICS


def table1(evidence: Evidence) -> Sheet:
    """Table 1: targets and their splits, in images a class: asked for, available and used."""
    table = splits(evidence.results)
    return Sheet("Table 1. Targets and their splits", table, (
        "Images a class that were asked for. * is the dataset's own test set; rest: what neither trains nor validates.",
        _asked(table),
        "What was available in the smallest class, for all subsets that are drawn from the same images, and what was "
        "used of it: where classes differ, of the smallest and the largest.",
        _used(table),
    ))  # fmt: skip


def table2(evidence: Evidence) -> Sheet:
    """Table 2: distance between source and target by four metrics, ours and the paper's."""
    table = distances(evidence.results)
    return Sheet("Table 2. Distance between source and target", table, (
        "SVM and CNN: held-out accuracy of telling source from target, ± its standard error.",
        _readable(table),
        "Kendall's tau of each metric against cosine distance: 1 is the same ordering of the targets, -1 the opposite.",
        agreement(table).map(_number),
        *_estimates(evidence.results),
    ))  # fmt: skip


def table3(evidence: Evidence) -> Sheet:
    """Table 3: freeze or tune, by distance and amount of data, ours beside the paper's."""
    table = recommendations(evidence)
    return Sheet("Table 3. Freeze or tune all blocks but the last", table, (
        "Down: cosine distance. Across: images a class. In brackets: how many experiments are behind it, and what "
        f"{paper.NAME} recommend where it differs.",
        _grid({(row.distance_level, row.data_level): _verdict(row) for row in table.itertuples()}),
        RULE,
        f"What {paper.NAME} recommend:",
        _grid(paper.ADVICE),
        f"The numbers behind it. Ratio: the geometric mean. {_over(table)}",
        _numbers(table),
        *_estimates(evidence.results),
    ))  # fmt: skip


TABLES: Mapping[int, Callable[[Evidence], Sheet]] = {1: table1, 2: table2, 3: table3, 4: table4}


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
    """One row a split: how many images a class were asked for, available and used, and how many there are in all."""
    first = results.drop_duplicates(["target", "n"]).sort_values("n", kind="stable")
    first = first.iloc[pd.factorize(first["target"])[0].argsort(kind="stable")]
    columns = [
        "target", "source", "dataset", "classes", "classes_available", "n", "train_available", "train_fewest",
        "train_most", "val_per_class", "pool", "test_per_class", "test_available", "test_fewest", "test_most",
        "train_images", "val_images", "test_images",
    ]  # fmt: skip
    return first[columns].astype(dict.fromkeys(COUNTS, "Int64")).reset_index(drop=True)


def _asked(table: pd.DataFrame) -> pd.DataFrame:
    """One row a target, as the paper's table 1."""
    rows = []
    for target, group in table.groupby("target", sort=False):
        first = group.iloc[0]
        rows.append({
            "target": target, "source": first["source"], "dataset": first["dataset"],
            "# categories": _of(first["classes"], first["classes_available"]),
            "validation": str(first["val_per_class"]),
            "test": _TESTS.get(first["pool"], str(first["test_per_class"])),
            "train": ", ".join(map(str, group["n"])),
        })  # fmt: skip
    return pd.DataFrame(rows)


_TESTS = {"official": "*", "rest": "rest"}


def _of(used: int, available: Any) -> str:
    return str(used) if pd.isna(available) or available == used else f"{used} of {available}"


def _used(table: pd.DataFrame) -> pd.DataFrame:
    def used(subset: str) -> list[str]:
        bounds = zip(table[f"{subset}_fewest"].map(str), table[f"{subset}_most"].map(str), strict=True)
        return [few if few == most else f"{few} – {most}" for few, most in bounds]

    counts = {
        "target": table["target"], "train: asked": table["n"].map(str), "available": table["train_available"].map(str),
        "used": used("train"), "test: available": table["test_available"].map(str), "test: used": used("test"),
        "train images": table["train_images"].map("{:,}".format), "val images": table["val_images"].map("{:,}".format),
        "test images": table["test_images"].map("{:,}".format),
    }  # fmt: skip
    return pd.DataFrame(counts).replace("<NA>", "–")


def distances(results: pd.DataFrame) -> pd.DataFrame:
    """One row a target, nearest first, then the paper's seven; accuracies of classifiers are in [0, 1]."""
    columns = ["target", *(column.name for column in DISTANCES if column.name != "cosine_estimated")]
    ours = results.drop_duplicates("target").sort_values("cosine", kind="stable")
    theirs = pd.DataFrame(paper.DISTANCES, columns=["target", "cosine", "mmd", "svm", "cnn"])
    return pd.concat([
        ours[columns].assign(measured_by=ours["study"]),
        theirs.reindex(columns=columns).assign(measured_by=paper.NAME),
    ], ignore_index=True)  # fmt: skip


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau of the other metrics against cosine, a row a measurer; NaN for fewer than two targets."""
    rows = []
    for name, group in table.groupby("measured_by", sort=False):
        taus = {METRICS[m].label: _tau(group[["cosine", m]].dropna()) for m in METRICS if m != "cosine"}
        rows.append({"measured by": name, "targets": str(len(group)), **taus})
    return pd.DataFrame(rows)


def _tau(pair: pd.DataFrame) -> float:
    return float(kendalltau(*pair.to_numpy().T).statistic) if len(pair) > 1 else np.nan


def _verdict(row: Any) -> str:
    if row.advice == NONE:
        return NONE
    mark = "" if row.agrees == "yes" else f"; paper: {row.paper}"
    return f"{row.advice} ({row.experiments} experiments{mark})"


def _over(table: pd.DataFrame) -> str:
    over = [text for text in table["over"].unique() if text]
    return f"95 % intervals and p-values are over {' or '.join(over)}." if over else "There are no pairs."


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    shown = table[table["advice"] != NONE]
    return pd.DataFrame({
        "distance": shown["distance_level"], "data": shown["data_level"], "ours": shown["advice"],
        "paper": shown["paper"], "agree": shown["agrees"],
        "ratio (95 % interval)": [
            f"{mean:.3f} ({low:.3f} – {high:.3f})" for mean, low, high in zip(*(shown[k] for k in _BOUNDS), strict=True)
        ],
        "p": shown["p"].map(_p), "p (Holm)": shown["p_holm"].map(_p),
        "pairs": shown["pairs"].map(str), "targets": shown["targets"].map(str),
    })  # fmt: skip


_BOUNDS = ("geometric_mean", "low", "high")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _grid(cells: Mapping[Any, str]) -> pd.DataFrame:
    columns: dict[str, list[str]] = {"distance": [f"{near} ({paper.DISTANCE_RANGES[near]})" for near in paper.LEVELS]}
    for data in paper.LEVELS:
        columns[f"{data} ({paper.DATA_RANGES[data]})"] = [cells[near, data] for near in paper.LEVELS]
    return pd.DataFrame(columns)


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    text = pd.DataFrame({"target": table["target"]})
    for name, metric in METRICS.items():
        if metric.is_accuracy:
            pairs = zip(table[name], table[f"{name}_error"], strict=True)
            text[f"{metric.label} (%)"] = [_percent(value, error) for value, error in pairs]
        elif name == "cosine":
            text[metric.label] = table[name].map(_number)
        else:
            text[metric.label] = table[name].map("{:#.3g}".format, na_action="ignore")
    return text.assign(**{"measured by": table["measured_by"]}).fillna("–")


def _percent(value: float, error: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{100 * value:.1f}" + ("" if np.isnan(error) else f" ± {100 * error:.1f}")


def _number(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "–" if np.isnan(value) else f"{value:.3f}"
