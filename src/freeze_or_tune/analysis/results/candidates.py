"""All candidates of a study's searches as one tidy table, candidates.csv, and how it is read again."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from freeze_or_tune.analysis.results.choosing import AVERAGE, Chosen
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.system.errors import UserError

OF_EXPERIMENT = (
    *("study", "source", "target", "n", "classes", "test_images", "scheme", "mode", "depth", "cosine"),
    *("distance_level", "data_level", "settings", "protocol", "versions"),
)
"""Columns that experiments.csv has, too."""
OF_CANDIDATE = (
    "learning_rate", "weight_decay", "copied_rate", "c", "val_accuracy", "val_loss", "test_accuracy",
    "mean_class_accuracy", "iterations", "best_iteration",
)  # fmt: skip
MAYBE = ("learning_rate", "weight_decay", "copied_rate", "c", "val_loss", "cosine")
"""Columns of numbers that may be empty."""
NAMES = (*OF_EXPERIMENT, "run", *OF_CANDIDATE, "stopped", "one_rate", "chosen")


def candidates(
    records: Sequence[Experiment], found: Sequence[Sequence[Chosen]], experiments: pd.DataFrame
) -> pd.DataFrame:
    """A row for each candidate of each run, in the order of `experiments` (experiments.csv).

    `stopped`, `one_rate` and `chosen` are yes or empty; where the average of all stands for a run, `chosen` is
    average in all rows of it.
    """
    of_run = {
        (record.settings.target, record.settings.split.n, record.settings.scheme, run.run): (run, one)
        for record, runs in zip(records, found, strict=True)
        for run, one in zip(record.runs, runs, strict=True)
    }
    rows = []
    for row in experiments.to_dict("records"):
        run, one = of_run[row["target"], row["n"], row["scheme"], row["run"]]
        for place, tried in enumerate(run.candidates):
            rows.append({
                **{name: row[name] for name in (*OF_EXPERIMENT, "run")},
                **{name: getattr(tried, name) for name in OF_CANDIDATE},
                "stopped": "yes" if tried.iterations < run.iterations else "",
                "one_rate": "" if place else "yes",
                "chosen": "average" if one.place == AVERAGE else "yes" if one.place == place else "",
            })  # fmt: skip
    return pd.DataFrame(rows, columns=list(NAMES))


def read_candidates(path: Path) -> pd.DataFrame:
    """Read candidates.csv; UserError if it is not one."""
    words = dict.fromkeys(("mode", "distance_level", "data_level", "stopped", "one_rate", "chosen"), str)
    try:
        table = pd.read_csv(path, dtype=words, keep_default_na=False, na_values={name: [""] for name in MAYBE})
    except (OSError, ValueError) as problem:
        raise UserError(f"{path} cannot be read ({problem}); delete it and run snakemake again") from None
    missing = [name for name in NAMES if name not in table.columns]
    if missing or table.empty:
        what = f"has no column {missing[0]!r}" if missing else "has no rows"
        raise UserError(f"{path} {what}; delete it and run snakemake again")
    return table
