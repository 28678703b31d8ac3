"""From the JSON of each experiment and distance to one tidy table, experiments.csv."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from freeze_or_tune.analysis.results.candidates import candidates
from freeze_or_tune.analysis.results.choosing import Chosen, chosen, first
from freeze_or_tune.analysis.results.columns import COUNTS, KEY, NAMES, PROBES, Value
from freeze_or_tune.analysis.results.mixing import check_records, protocol
from freeze_or_tune.records.distances import Distance
from freeze_or_tune.records.experiment import Experiment, Run, Tested
from freeze_or_tune.records.probes import Profile
from freeze_or_tune.records.tallies import SplitTally
from freeze_or_tune.study.levels import data_level, distance_level
from freeze_or_tune.study.metrics import METRICS
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Rule
from freeze_or_tune.system.errors import SpoiltFile, UserError
from freeze_or_tune.system.files import replacing

Row = dict[str, Value | None]


class Searched(NamedTuple):
    """What a study with a search is collected into besides, and how its candidates are chosen."""

    rule: Rule
    one_rate: Path
    """The same table at the solver's own rate and decay, as if there had been no search."""
    candidates: Path
    """A row for each candidate."""


def collect(
    experiments: Sequence[Path], distances: Sequence[Path], destination: Path, splits: Sequence[Path] = (),
    searched: Searched | None = None, probes: Sequence[Path] = (),
) -> None:  # fmt: skip
    """Write one CSV row a run; UserError names the file of a damaged, edited, repeated or alien result.

    `splits` are the counts of the splits, <target>/n<k>.json, and `probes` the profiles of their images, likewise.
    """
    if not experiments:
        raise UserError(f"there are no experiments to collect into {destination}")
    measured = _read_distances(distances)
    tallies = {(path.parent.name, path.stem): SplitTally.read(path) for path in splits}
    profiles = {(path.parent.name, path.stem): Profile.read(path) for path in probes}
    records = [(path, _read_experiment(path)) for path in experiments]
    check_records([(path, record.settings) for path, record in records])
    everything = [record for _, record in records]
    best = chosen(everything, searched.rule if searched else "validation")
    shared = [
        _shared(path, record, measured) | _counts(path, record, tallies) | _probed(record, profiles)
        for path, record in records
    ]
    table = _table(records, shared, best)
    if searched:
        alone = [row | _without_search(record) for row, record in zip(shared, everything, strict=True)]
        firsts = [[first(run) for run in record.runs] for record in everything]
        _write(_table(records, alone, firsts), searched.one_rate)
        _write(candidates(everything, best, table), searched.candidates)
    _write(table, destination)


def _table(
    records: Sequence[tuple[Path, Experiment]], shared: Sequence[Row], found: Sequence[Sequence[Chosen]]
) -> pd.DataFrame:
    """A row a run, of what stands for it."""
    rows: dict[tuple[Value | None, ...], Row] = {}
    for (path, record), columns, runs in zip(records, shared, found, strict=True):
        for run, one in zip(record.runs, runs, strict=True):
            row = columns | _own(run, one)
            key = tuple(row[name] for name in KEY)
            if key in rows:
                where = "target {}, n {}, scheme {}, run {}".format(*key)
                raise SpoiltFile(f"{path}: {where} is in another result file too", "one of the two")
            rows[key] = row
    return _sorted(pd.DataFrame(list(rows.values()), columns=list(NAMES)))


def _write(table: pd.DataFrame, destination: Path) -> None:
    with replacing(destination) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _without_search(record: Experiment) -> Row:
    """What tells settings apart, as if there had been no search."""
    solver = record.settings.solver.model_copy(update={"search": None})
    settings = record.settings.model_copy(update={"solver": solver})
    return {"settings": settings.digest, "protocol": protocol(settings)}


def _read_distances(paths: Iterable[Path]) -> dict[str, dict[str, Distance]]:
    """Distances by target and metric."""
    found: dict[str, dict[str, Distance]] = {}
    for path in paths:
        distance = Distance.read(path)
        metrics = found.setdefault(distance.target, {})
        if distance.metric in metrics:
            raise SpoiltFile(f"{path}: {distance.metric} of {distance.target} is in another file too", "one of the two")
        metrics[distance.metric] = distance
    return found


def _read_experiment(path: Path) -> Experiment:
    record = Experiment.read(path)
    if record.digest != record.settings.digest:
        raise SpoiltFile(f"{path}: its settings are not those it was run with")
    return record


def _shared(path: Path, record: Experiment, measured: dict[str, dict[str, Distance]]) -> Row:
    """What the rows of one experiment have in common."""
    settings = record.settings
    scheme = Scheme.parse(settings.scheme)
    distances = measured.get(settings.target, {})
    for distance in distances.values():
        if distance.source != settings.source:
            raise SpoiltFile(
                f"{path}: its source is {settings.source}, but the {distance.metric} distance of {settings.target} "
                f"is from {distance.source}",
                "both",
            )
    return {
        "study": settings.study, "source": settings.source, "target": settings.target, "dataset": settings.dataset,
        "classes": record.classes, "n": settings.split.n,
        "val_per_class": settings.split.val, "pool": settings.split.pool, "test_per_class": settings.split.test,
        "train_images": record.train_images, "val_images": record.val_images, "test_images": record.test_images,
        "scheme": str(scheme), "mode": scheme.mode, "copied": scheme.copied, "frozen": scheme.frozen,
        "variant": scheme.variant or None, "depth": scheme.depth, "random_part": scheme.random_part,
        "settings": record.digest, "protocol": protocol(settings),
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(record.versions.items())),
        "data_level": data_level(settings.split.n), **_distance_columns(distances),
    }  # fmt: skip


def _own(run: Run, one: Chosen) -> Row:
    """What the row of a run has of its own."""
    cost = ("seconds", "images_per_second", "peak_memory_mb", "device")
    return {
        "run": run.run, "seed": run.seed, **{name: getattr(one.tested, name) for name in Tested.model_fields},
        "iterations": one.iterations, "best_iteration": one.best_iteration,
        **{name: getattr(run.performance, name) for name in cost},
    }  # fmt: skip


def _counts(path: Path, record: Experiment, tallies: Mapping[tuple[str, str], SplitTally]) -> Row:
    """What the split of an experiment had to draw from, if it was counted."""
    tally = tallies.get((record.settings.target, f"n{record.settings.split.n}"))
    if tally is None:
        return {}
    train, test = tally.train, tally.test
    if (train.images, test.images) != (record.train_images, record.test_images):
        raise SpoiltFile(f"{path}: its split has other images by now")
    counts = (
        tally.classes_available, train.available, train.fewest, train.most, test.available, test.fewest, test.most
    )  # fmt: skip
    return dict(zip(COUNTS, counts, strict=True))


def _probed(record: Experiment, profiles: Mapping[tuple[str, str], Profile]) -> Row:
    """What the source's blocks tell of the split's images, if they were probed."""
    profile = profiles.get((record.settings.target, f"n{record.settings.split.n}"))
    if profile is None:
        return {}
    values = (profile.last.logistic, profile.last.neighbours, profile.best.logistic)
    return dict(zip(PROBES, values, strict=True))


def _distance_columns(distances: dict[str, Distance]) -> Row:
    row: Row = {metric: distance.value for metric, distance in distances.items()}
    row |= {f"{d.metric}_error": d.standard_error for d in distances.values() if METRICS[d.metric].is_accuracy}
    if "cosine" in distances:
        row["cosine_estimated"] = "yes" if distances["cosine"].estimated else None
        row["distance_level"] = distance_level(distances["cosine"].value)
    return row


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    """In order of target as first seen, then n, random blocks, frozen blocks, variant and run."""
    rank = pd.DataFrame({
        "target": pd.factorize(table["target"])[0], "n": table["n"], "depth": table["depth"],
        "frozen": table["frozen"], "variant": table["variant"].fillna(""), "run": table["run"],
    })  # fmt: skip
    return table.loc[rank.sort_values(list(rank.columns), kind="stable").index]
