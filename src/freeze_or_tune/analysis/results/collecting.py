"""From the JSON of each experiment and distance to one tidy table, experiments.csv."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from freeze_or_tune.analysis.results.columns import COUNTS, KEY, NAMES, Value
from freeze_or_tune.analysis.results.mixing import check_records, protocol
from freeze_or_tune.analysis.results.table import MODES
from freeze_or_tune.records.distances import Distance
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.records.tallies import SplitTally
from freeze_or_tune.study.levels import data_level, distance_level
from freeze_or_tune.study.metrics import METRICS
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import replacing

Row = dict[str, Value | None]


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
    row |= {f"{d.metric}_error": d.standard_error for d in distances.values() if METRICS[d.metric].is_accuracy}
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
