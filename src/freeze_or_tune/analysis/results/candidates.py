"""All candidates of a study's searches as one tidy table, candidates.csv, and how it is read again."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from freeze_or_tune.analysis.results.choosing import AVERAGE, Chosen
from freeze_or_tune.records.experiment import Experiment, Tested
from freeze_or_tune.system.errors import SpoiltFile

OF_EXPERIMENT = (
    *("study", "source", "target", "n", "classes", "test_images", "scheme", "mode", "variant", "depth"),
    *("cosine", "distance_level", "data_level", "settings", "protocol", "versions"),
)
"""Columns that experiments.csv has, too."""
OF_CANDIDATE = (
    "method", "learning_rate", "weight_decay", "copied_rate", "c", "val_accuracy", "val_loss", "test_accuracy",
    "mean_class_accuracy", "iterations", "best_iteration",
)  # fmt: skip
MAYBE = ("learning_rate", "weight_decay", "copied_rate", "c", "val_loss", "best_iteration", "cosine")
"""Columns of numbers that may be empty."""
NAMES = (*OF_EXPERIMENT, "run", *OF_CANDIDATE, "stopped", "one_rate", "chosen")


def candidates(
    records: Sequence[Experiment], found: Sequence[Sequence[Chosen]], experiments: pd.DataFrame
) -> pd.DataFrame:
    """A row for each candidate of each run, in the order of `experiments` (experiments.csv), and one for their average.

    The average has neither a method, a rate nor a C. `stopped`, `one_rate` and `chosen` are yes or empty.
    """
    of_run = {
        (record.settings.target, record.settings.split.n, record.settings.scheme, run.run): (record, run, one)
        for record, runs in zip(records, found, strict=True)
        for run, one in zip(record.runs, runs, strict=True)
    }
    rows = []
    for row in experiments.to_dict("records"):
        record, run, one = of_run[row["target"], row["n"], row["scheme"], row["run"]]
        places: list[tuple[int, Tested | None]] = [*enumerate(run.candidates), (AVERAGE, run.average)]
        for place, tested in places if run.candidates else ():
            whole = getattr(tested, "iterations", run.iterations)
            values = {name: getattr(tested, name, None) for name in OF_CANDIDATE}
            stepped = values["learning_rate"] is not None
            values["method"] = (values["method"] or record.settings.solver.method) if stepped else ""
            rows.append({
                **{name: row[name] for name in (*OF_EXPERIMENT, "run")},
                **values, "iterations": whole,
                "stopped": "yes" if whole < run.iterations else "", "one_rate": "" if place else "yes",
                "chosen": "yes" if one.place == place else "",
            })  # fmt: skip
    return pd.DataFrame(rows, columns=list(NAMES))


def read_candidates(path: Path) -> pd.DataFrame:
    """Read candidates.csv; UserError if it is not one."""
    words = dict.fromkeys(
        ("mode", "variant", "method", "distance_level", "data_level", "stopped", "one_rate", "chosen"), str
    )
    try:
        table = pd.read_csv(path, dtype=words, keep_default_na=False, na_values={name: [""] for name in MAYBE})
    except (OSError, ValueError) as problem:
        raise SpoiltFile(f"{path} cannot be read ({problem})") from None
    missing = [name for name in NAMES if name not in table.columns]
    if missing or table.empty:
        what = f"has no column {missing[0]!r}" if missing else "has no rows"
        raise SpoiltFile(f"{path} {what}")
    return table
