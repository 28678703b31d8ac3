"""The checked table of results, and its paired ratios of accuracy (section 4)."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from freeze_or_tune.analysis.results.columns import PROBES, parse_table
from freeze_or_tune.analysis.results.mixing import check_unmixed
from freeze_or_tune.study.metrics import METRICS
from freeze_or_tune.study.schemes import Mode
from freeze_or_tune.system.errors import DamagedFile, UserError

LOG = logging.getLogger(__name__)

Choice = tuple[Mode, int]
"""A mode and a depth, e.g. ("T", 1) for T(1-7)R(8)."""


def read_results(path: Path, mixed: bool = False) -> pd.DataFrame:
    """Read experiments.csv, typed and checked; UserError names the line and the column of the first problem.

    Rows of several studies, or made by several solvers, are a problem unless `mixed`.
    """
    try:
        # Blank lines are kept, for lines are counted.
        cells = pd.read_csv(path, dtype=str, keep_default_na=False, on_bad_lines="error", skip_blank_lines=False)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; make it with `snakemake {path}`") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as problem:
        raise DamagedFile(f"{path} is not a CSV table in UTF-8 ({str(problem).strip()})") from None
    if not isinstance(cells.index, pd.RangeIndex):
        # What is too much in all lines pandas takes for names of the rows, and shifts the columns.
        raise DamagedFile(f"{path}, line 2: it has more cells than the header")
    table = parse_table(cells, path)
    if not mixed:
        check_unmixed(table, path)
    return table


def cells(results: pd.DataFrame) -> pd.DataFrame:
    """One row for each (target, n, scheme): mean and standard deviation of test accuracy over its runs.

    The standard deviation (of a sample, `ddof=1`) is NaN for a single run.
    """
    shared = [
        *("study", "source", "dataset", "classes", "mode", "copied", "frozen", "variant", "depth"),
        "random_part",
        *METRICS,
        *PROBES,
        *("distance_level", "data_level", "test_images"),
    ]
    return results.groupby(["target", "n", "scheme"], sort=False, as_index=False).agg(
        **{name: (name, "first") for name in shared},
        runs=("run", "size"),
        test_accuracy=("test_accuracy", "mean"),
        test_std=("test_accuracy", "std"),
    )


def ratios(results: pd.DataFrame, numerator: Choice, denominator: Choice) -> pd.DataFrame:
    """Mean test accuracy of one choice over that of another, paired by target and n; a zero denominator is left out.

    Variants are another matter.
    """
    table = cells(results[results["variant"] == ""])
    above, below = (
        table[(table["mode"] == mode) & (table["depth"] == depth)] for mode, depth in (numerator, denominator)
    )
    pairs = above.merge(below[["target", "n", "scheme", "runs", "test_accuracy"]], on=["target", "n"])
    pairs["runs"] = pairs[["runs_x", "runs_y"]].min(axis="columns")
    names = {"test_accuracy_x": "numerator", "test_accuracy_y": "denominator"}
    pairs = pairs.rename(columns=names | {"scheme_x": "scheme", "scheme_y": "other_scheme"})
    for pair in pairs[pairs["denominator"] == 0].itertuples():
        place = f"{pair.target}, n {pair.n}"
        LOG.warning("%s: %s of depth %s has accuracy 0, so there is no ratio to it", place, *denominator)
    pairs["ratio"] = pairs["numerator"] / pairs["denominator"].replace(0, np.nan)
    shared = ["target", "dataset", "classes", "n", *METRICS, *PROBES, "distance_level", "data_level"]
    own = ["scheme", "other_scheme", "runs", "numerator", "denominator", "ratio"]
    return pairs[shared + own].dropna(subset="ratio").reset_index(drop=True)


def tune_over_freeze(results: pd.DataFrame) -> pd.DataFrame:
    """Ratios of T(1-7)R(8) over F(1-7)R(8): above 1, fine-tuning is better (figure 2, table 3)."""
    return ratios(results, ("T", 1), ("F", 1))


def copy_over_random(results: pd.DataFrame, depth: int, mode: Mode) -> pd.DataFrame:
    """Ratios of R(8) over `depth` random blocks in the same mode: above 1, copying is better (figure 1)."""
    return ratios(results, (mode, 1), (mode, depth))


def estimated(results: pd.DataFrame) -> list[str]:
    """Targets whose cosine distance is to an estimated mean of the source, whose images were not there."""
    return sorted(set(results.loc[results["cosine_estimated"] == "yes", "target"]))


def deeper(results: pd.DataFrame, count: int = 2) -> list[int]:
    """The `count` smallest depths above 1 of schemes that copy something (3 and 5 in the paper)."""
    depths = results.loc[results["mode"].isin(["T", "F"]) & (results["depth"] > 1), "depth"]
    return sorted(set(depths.tolist()))[:count]
