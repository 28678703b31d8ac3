"""From a study's files to what the page holds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from freeze_or_tune.analysis.page.content import (
    Answer,
    Cell,
    Curve,
    Explorable,
    Glance,
    Looks,
    Page,
    Pair,
    Shown,
    Verdict,
    View,
    known,
)
from freeze_or_tune.analysis.page.datasets import datasets
from freeze_or_tune.analysis.results.provenance import Provenance
from freeze_or_tune.analysis.show.depths import has_depths
from freeze_or_tune.analysis.show.figures import DATA_LABELS, DISTANCE_LABELS
from freeze_or_tune.analysis.show.style import DATA_LOOKS, DEPTH_LOOKS, DISTANCE_LOOKS, SCRATCH_LOOK
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.analysis.statistics.verdicts import geometric_mean, recommendations
from freeze_or_tune.records.experiment import Experiment, Run
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.system.commands import snakemake_command
from freeze_or_tune.system.errors import SpoiltFile, made_by_the_workflow

CURVE_POINTS = 200_000
"""Points of all learning curves together, about 3 MB: beyond that, curves are thinned out evenly."""

BEST, ONE_RATE = "each at its best", "at one rate"
"""Protocols: every scheme with the candidate that validation chose, or all with the solver's own rate."""

Key = tuple[str, int, str]
"""Target, images a class, scheme."""


@made_by_the_workflow()
def gather(
    results_csv: Path,
    experiments: Sequence[Path],
    samples: Sequence[Path],
    sources: Mapping[str, str],
    configfiles: Sequence[str] = (),
    one_rate: Path | None = None,
) -> Page:
    """Everything on the page; `sources` are the datasets of the source networks, `configfiles` what names the study.

    `one_rate` is the table of the same experiments at one rate, of a study with a search.
    UserError if experiments.csv and the experiments' files are not of the same study.
    """
    tables = {BEST if one_rate else ONE_RATE: Evidence.read(results_csv)}
    if one_rate:
        tables[ONE_RATE] = Evidence.read(one_rate)
    evidence = next(iter(tables.values()))
    results, pairs = evidence.results, evidence.tune_over_freeze()
    cells = evidence.cells()
    records = _read(experiments, results, results_csv)
    views = {protocol: _view(table, records, protocol == ONE_RATE) for protocol, table in tables.items()}
    # Of what the recommendations are drawn from; an accuracy of 1 among several runs has another interval.
    over = (cells if pairs.empty else pairs)["over"].unique()
    return Page(
        glance=_glance(cells, results, Provenance.of("page", results_csv, results), " or ".join(over)),
        verdicts=tuple(
            Verdict(protocol=protocol, answer=_answer(table.tune_over_freeze()), cells=_cells(recommendations(table)))
            for protocol, table in tables.items()
        ),
        unconverged=_unconverged(records),
        datasets=datasets(results, samples, sources),
        explorable=Explorable(
            targets=tuple(results.sort_values("cosine", kind="stable")["target"].unique()),
            schemes={str(s): s.paper for s in sorted(map(Scheme.parse, results["scheme"].unique()), key=_rank)},
            views=views,
            between=has_depths(results),
            command=snakemake_command(configfiles),
            looks=Looks(distance=DISTANCE_LOOKS, data=DATA_LOOKS, depths=DEPTH_LOOKS, scratch=SCRATCH_LOOK),
            distance_labels=DISTANCE_LABELS,
            data_labels=DATA_LABELS,
        ),
    )


def _view(evidence: Evidence, records: Mapping[Key, tuple[Path, Experiment]], one_rate: bool) -> View:
    shown = _shown(evidence.cells(), evidence.results, records, one_rate)
    return View(experiments=shown, pairs=_pairs(evidence.tune_over_freeze(), shown))


def _unconverged(records: Mapping[Key, tuple[Path, Experiment]]) -> tuple[str, ...]:
    found = []
    for (target, n, scheme), (_, record) in records.items():
        hints = dict.fromkeys(hint for of_run in record.unconverged().values() for hint in of_run)
        if hints:
            found.append(f"{Scheme.parse(scheme).paper} on {target}, n = {n}: {', '.join(hints)}")
    return tuple(found)


def _rank(scheme: Scheme) -> tuple[int, int, str]:
    """Fewest random blocks first, then fewest frozen ones."""
    return scheme.depth, scheme.frozen, scheme.variant


def _read(paths: Sequence[Path], results: pd.DataFrame, results_csv: Path) -> dict[Key, tuple[Path, Experiment]]:
    records: dict[Key, tuple[Path, Experiment]] = {}
    for path in paths:
        record = Experiment.read(path)
        records[record.settings.target, record.settings.split.n, record.settings.scheme] = path, record
    tabled: dict[Any, str] = results.groupby(["target", "n", "scheme"])["settings"].first().to_dict()
    odd = [key for key in tabled.keys() | records.keys() if key not in records or key not in tabled]
    odd += [key for key in tabled.keys() & records.keys() if tabled[key] != records[key][1].digest]
    if odd:
        target, n, scheme = min(odd)
        raise SpoiltFile(
            f"{results_csv} does not hold the experiments beside it (such as target {target}, n {n}, scheme {scheme})"
        )
    return records


def _shown(
    cells: pd.DataFrame, results: pd.DataFrame, records: Mapping[Key, tuple[Path, Experiment]], one_rate: bool
) -> tuple[Shown, ...]:
    runs = results.groupby(["target", "n", "scheme"], sort=False)["test_accuracy"].agg(tuple)
    points = sum(len(run.curve) for _, record in records.values() for run in record.runs)
    step = max(1, math.ceil(points / CURVE_POINTS))
    shown = []
    for cell in _rows(cells):
        key: Key = (cell.target, cell.n, cell.scheme)
        path, record = records[key]
        scheme = Scheme.parse(cell.scheme)
        of_depths = scheme.depth == 1 and (scheme.plain or scheme.between)
        shown.append(Shown(
            target=cell.target, n=cell.n, scheme=cell.scheme, label=scheme.paper, mode=cell.mode, depth=cell.depth,
            frozen=scheme.frozen if of_depths else None, distance_level=cell.distance_level,
            data_level=cell.data_level, cosine=known(cell.cosine), chance=1 / cell.classes,
            mean=cell.test_accuracy, low=cell.low, high=cell.high, accuracies=runs[key], path=path.as_posix(),
            curves=tuple(_curve(run, step, one_rate) for run in record.runs),
        ))  # fmt: skip
    return tuple(shown)


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    """Rows with an attribute a column, whose types pandas cannot know."""
    return iter(table.itertuples())


def _curve(run: Run, step: int, one_rate: bool) -> Curve:
    shown = run.candidates[0] if one_rate and run.candidates else run
    points = shown.curve[::-1][::step][::-1]  # the last one always stays
    return Curve(
        iterations=tuple(point.iteration for point in points),
        loss=tuple(float(f"{point.loss:.4g}") for point in points),
        val_accuracy=tuple(round(point.val_accuracy, 4) for point in points),
        best_iteration=shown.best_iteration,
    )


def _pairs(pairs: pd.DataFrame, shown: Sequence[Shown]) -> tuple[Pair, ...]:
    places = {
        (s.target, s.n, s.mode): place for place, s in enumerate(shown) if s.depth == 1 and Scheme.parse(s.scheme).plain
    }
    return tuple(
        Pair(
            tuned=places[pair.target, pair.n, "T"],
            frozen=places[pair.target, pair.n, "F"],
            ratio=pair.ratio,
            low=known(pair.low),
            high=known(pair.high),
        )
        for pair in _rows(pairs[pairs["ratio"] > 0])  # the axis is logarithmic
    )


def _cells(table3: pd.DataFrame) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            distance=row.distance_level, data=row.data_level, advice=row.advice, pairs=row.pairs, targets=row.targets,
            mean=known(row.geometric_mean), low=known(row.low), high=known(row.high),
            paper=row.paper, agrees=row.agrees,
        )
        for row in _rows(table3)
    )  # fmt: skip


def _answer(pairs: pd.DataFrame) -> Answer:
    ratio = pairs["ratio"]
    return Answer(
        pairs=len(ratio), tuned_better=int((pairs["low"] > 1).sum()), frozen_better=int((pairs["high"] < 1).sum()),
        mean=known(geometric_mean(ratio[ratio > 0].to_numpy())),
    )  # fmt: skip


def _glance(cells: pd.DataFrame, results: pd.DataFrame, origin: Provenance, over: str) -> Glance:
    runs = f"{origin.runs:,}, {' or '.join(map(str, sorted(set(cells['runs']))))} each"
    return Glance(
        study=origin.study, date=origin.date[:10], settings=origin.settings, versions=origin.trained_with,
        over=over, targets=results["target"].nunique(),
        splits=len(results.groupby(["target", "n"])), experiments=origin.experiments, runs=runs,
        training=_duration(results["seconds"].sum()),
    )  # fmt: skip


def _duration(seconds: float) -> str:
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} seconds"
