"""From the JSON of each experiment to one tidy table, and from that to paired ratios of accuracy (section 4)."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from freeze_or_tune.analysis.results.columns import COUNTS, KEY, NAMES, Value, parse_table
from freeze_or_tune.analysis.results.mixing import check_records, check_unmixed, protocol
from freeze_or_tune.records.experiment import Distance, Experiment, SplitTally
from freeze_or_tune.study.levels import data_level, distance_level
from freeze_or_tune.study.schemes import Mode, Scheme
from freeze_or_tune.study.settings import Metric
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import replacing

LOG = logging.getLogger(__name__)

Row = dict[str, Value | None]
Choice = tuple[Mode, int]
"""A mode and a depth, e.g. ("T", 1) for T(1-7)R(8)."""

MODES = ("T", "F", "")
METRICS: tuple[Metric, ...] = ("cosine", "mmd", "svm", "cnn")


def collect(
    experiments: Sequence[Path], distances: Sequence[Path], destination: Path, splits: Sequence[Path] = ()
) -> None:
    """Write one CSV row a run; UserError names the file of a damaged, edited, repeated or alien result.

    `splits` are the counts of the splits, <target>/n<k>.json.
    """
    if not experiments:
        raise UserError(f"there are no experiments to collect into {destination}")
    measured = _read_distances(distances)
    tallies = {(path.parent.name, path.stem): SplitTally.read(path) for path in splits}
    records = [(path, _read_experiment(path)) for path in experiments]
    check_records([(path, record.settings) for path, record in records])
    rows: dict[tuple[Value | None, ...], Row] = {}
    for path, record in records:
        counts = _counts(path, record, tallies)
        for row in _rows(path, record, measured):
            key = tuple(row[name] for name in KEY)
            if key in rows:
                where = "target {}, n {}, scheme {}, run {}".format(*key)
                raise UserError(f"{path}: {where} is in another result file too; remove one of the two")
            rows[key] = row | counts
    table = _sorted(pd.DataFrame(list(rows.values()), columns=list(NAMES)))
    with replacing(destination) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


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
        raise UserError(
            f"{path} is not a CSV table ({str(problem).strip()}); delete it and run snakemake again"
        ) from None
    if not isinstance(cells.index, pd.RangeIndex):
        # What is too much in all lines pandas takes for names of the rows, and shifts the columns.
        raise UserError(f"{path}, line 2: it has more cells than the header; delete the file and run snakemake again")
    table = parse_table(cells, path)
    if not mixed:
        check_unmixed(table, path)
    return table


def cells(results: pd.DataFrame) -> pd.DataFrame:
    """One row for each (target, n, scheme): mean and standard deviation of test accuracy over its runs.

    The standard deviation (of a sample, `ddof=1`) is NaN for a single run.
    """
    shared = [
        *("study", "source", "dataset", "classes", "mode", "depth", "random_part"),
        *METRICS,
        *("distance_level", "data_level", "test_images"),
    ]
    return results.groupby(["target", "n", "scheme"], sort=False, as_index=False).agg(
        **{name: (name, "first") for name in shared},
        runs=("run", "size"),
        test_accuracy=("test_accuracy", "mean"),
        test_std=("test_accuracy", "std"),
    )


def ratios(results: pd.DataFrame, numerator: Choice, denominator: Choice) -> pd.DataFrame:
    """Mean test accuracy of one choice over that of another, paired by target and n; a zero denominator is left out."""
    table = cells(results)
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
    shared = ["target", "n", *METRICS, "distance_level", "data_level"]
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
    depths = results.loc[(results["mode"] != "") & (results["depth"] > 1), "depth"]
    return sorted(set(depths.tolist()))[:count]


def _read_distances(paths: Iterable[Path]) -> dict[str, dict[str, Distance]]:
    """Distances by target and metric."""
    found: dict[str, dict[str, Distance]] = {}
    for path in paths:
        distance = Distance.read(path)
        metrics = found.setdefault(distance.target, {})
        if distance.metric in metrics:
            raise UserError(
                f"{path}: {distance.metric} of {distance.target} is in another file too; remove one of the two"
            )
        metrics[distance.metric] = distance
    return found


def _read_experiment(path: Path) -> Experiment:
    record = Experiment.read(path)
    if record.digest != record.settings.digest:
        raise UserError(f"{path}: its settings are not those it was run with; delete it and run snakemake again")
    return record


def _rows(path: Path, record: Experiment, measured: dict[str, dict[str, Distance]]) -> list[Row]:
    """The rows of one experiment, one a run."""
    settings = record.settings
    scheme = Scheme.parse(settings.scheme)
    distances = measured.get(settings.target, {})
    for distance in distances.values():
        if distance.source != settings.source:
            raise UserError(
                f"{path}: its source is {settings.source}, but the {distance.metric} distance of {settings.target} "
                f"is from {distance.source}; delete both and run snakemake again"
            )
    shared: Row = {
        "study": settings.study, "source": settings.source, "target": settings.target, "dataset": settings.dataset,
        "classes": record.classes, "n": settings.split.n,
        "val_per_class": settings.split.val, "pool": settings.split.pool, "test_per_class": settings.split.test,
        "train_images": record.train_images, "val_images": record.val_images, "test_images": record.test_images,
        "scheme": str(scheme), "mode": scheme.mode, "copied": scheme.copied, "depth": scheme.depth,
        "random_part": scheme.random_part, "settings": record.digest, "protocol": protocol(settings),
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(record.versions.items())),
        "data_level": data_level(settings.split.n), **_distance_columns(distances),
    }  # fmt: skip
    own = (
        "run", "seed", "val_accuracy", "test_accuracy", "mean_class_accuracy", "iterations", "best_iteration", "correct"
    )  # fmt: skip
    cost = ("seconds", "images_per_second", "peak_memory_mb", "device")
    return [
        {**shared, **{k: getattr(run, k) for k in own}, **{k: getattr(run.performance, k) for k in cost}}
        for run in record.runs
    ]


def _counts(path: Path, record: Experiment, tallies: Mapping[tuple[str, str], SplitTally]) -> Row:
    """What the split of an experiment had to draw from, if it was counted."""
    tally = tallies.get((record.settings.target, f"n{record.settings.split.n}"))
    if tally is None:
        return {}
    train, test = tally.train, tally.test
    if (train.images, test.images) != (record.train_images, record.test_images):
        raise UserError(f"{path}: its split has other images by now; delete it and run snakemake again")
    counts = (
        tally.classes_available, train.available, train.fewest, train.most, test.available, test.fewest, test.most
    )  # fmt: skip
    return dict(zip(COUNTS, counts, strict=True))


def _distance_columns(distances: dict[str, Distance]) -> Row:
    row: Row = {metric: distance.value for metric, distance in distances.items()}
    row |= {f"{metric}_error": distances[metric].standard_error for metric in ("svm", "cnn") if metric in distances}
    if "cosine" in distances:
        row["cosine_estimated"] = "yes" if distances["cosine"].estimated else None
        row["distance_level"] = distance_level(distances["cosine"].value)
    return row


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    """In order of target as first seen, then n, depth, mode (tune before freeze) and run."""
    rank = pd.DataFrame({
        "target": pd.factorize(table["target"])[0], "n": table["n"], "depth": table["depth"],
        "mode": table["mode"].fillna("").map(MODES.index), "run": table["run"],
    })  # fmt: skip
    return table.loc[rank.sort_values(list(rank.columns), kind="stable").index]
