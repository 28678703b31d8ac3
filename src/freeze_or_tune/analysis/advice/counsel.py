"""Freeze or tune, for one's own images: Table 3, the paper's and ours, and what a regression foresees."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from freeze_or_tune.analysis.advice.forecast import NoForecast, Regression
from freeze_or_tune.analysis.advice.markdown import page
from freeze_or_tune.analysis.advice.star import Star, starred
from freeze_or_tune.analysis.results.table import read_results
from freeze_or_tune.analysis.show.style import write_figure
from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.analysis.statistics.verdicts import recommendations
from freeze_or_tune.records.advice import Advice, Check, Counsel, Forecast
from freeze_or_tune.records.distances import Distance
from freeze_or_tune.study.levels import Level, data_level, distance_level
from freeze_or_tune.study.schemes import all_but_last
from freeze_or_tune.system.files import write_text

_COUNSEL: dict[str, Counsel] = {"Freeze": "Freeze", "Tune": "Tune", "Try Freeze or Tune": "Try both"}


def advise(
    check: Path, distances: Sequence[Path], evidence: Sequence[Path], blocks: Mapping[str, int],
    record: Path, markdown: Path, pictures: Sequence[Path],
) -> None:  # fmt: skip
    """Write the advice for programs (`record`), for people (`markdown`) and as pictures.

    `blocks` are those of each source's network.
    """
    known = read_evidence(evidence)
    advice = counsel(
        Check.read(check), [Distance.read(path) for path in distances], known,
        blocks, tuple(map(str, evidence)),
    )  # fmt: skip
    cosine, foreseen = advice.distances[advice.source], advice.forecast
    star = Star(advice.images_a_class, cosine, foreseen)
    write_figure(partial(starred, known, star), pictures, title=f"Advice for {advice.dataset}")
    write_text(markdown, page(advice, markdown))
    advice.write(record)


def read_evidence(paths: Sequence[Path]) -> Evidence:
    """Experiments of one study or of several, whose targets are then told apart by the study's name."""
    tables = [read_results(path) for path in paths]
    if len(tables) > 1:
        tables = [table.assign(target=table["study"] + ":" + table["target"]) for table in tables]
    return Evidence.of(pd.concat(tables, ignore_index=True))


def counsel(
    check: Check, distances: Sequence[Distance], known: Evidence, blocks: Mapping[str, int],
    files: tuple[str, ...] = (),
) -> Advice:  # fmt: skip
    """Weigh the paper's Table 3, that of the experiments in `files`, and a forecast, for the nearest source."""
    nearest = min(distances, key=lambda distance: distance.value)
    n, cosine = check.typical, nearest.value
    near, much = distance_level(cosine), data_level(n)
    pairs = known.tune_over_freeze()
    theirs, ours, chosen = weigh(known, near, much)
    tuned, frozen = map(str, all_but_last(blocks[nearest.source]))
    forecast, problem = _foresee(pairs, n, cosine)
    return Advice(
        dataset=check.dataset, source=nearest.source,
        distances={distance.source: distance.value for distance in distances},
        estimated=tuple(distance.source for distance in distances if distance.estimated), distance_level=near,
        images_a_class=n, data_level=much, advice=chosen,
        schemes={"Tune": (tuned,), "Freeze": (frozen,), "Try both": (tuned, frozen)}[chosen],
        paper=theirs, experiments=ours, forecast=forecast, no_forecast=problem,
        warnings=(*_unstudied(known, nearest.source), *_outside(pairs, n, cosine, ours)), evidence=files, check=check,
    )  # fmt: skip


def weigh(known: Evidence, near: Level, much: Level) -> tuple[Counsel, Counsel | None, Counsel]:
    """What the paper's Table 3 says of these levels, what our own says (None: nothing), and what follows from both."""
    table = recommendations(known).set_index(["distance_level", "data_level"])
    theirs, ours = _COUNSEL[paper.ADVICE[near, much]], _COUNSEL.get(str(table.loc[(near, much), "advice"]))
    return theirs, ours, theirs if ours in (None, theirs) else "Try both"


def _foresee(pairs: pd.DataFrame, n: int, cosine: float) -> tuple[Forecast | None, str]:
    try:
        return Regression.fit(pairs).forecast(n, cosine), ""
    except NoForecast as problem:
        return None, str(problem)


def _unstudied(known: Evidence, source: str) -> list[str]:
    """A network that no experiment was done with: its distances and its accuracies have another scale."""
    studied = sorted(set(known.results["source"]))
    if source in studied:
        return []
    return [f"No experiment here started from {source}: what {', '.join(studied)} did is taken to hold for it."]


def _outside(pairs: pd.DataFrame, n: int, cosine: float, ours: Counsel | None) -> list[str]:
    """Where nothing like these images was studied."""
    warnings = []
    if ours is None:
        warnings.append(
            f"No experiment here was done at this distance and with so many images ({distance_level(cosine)}, "
            f"{data_level(n)}): the recommendation is the paper's alone."
        )
    for value, studied, what in ((n, pairs["n"], "images a class"), (cosine, pairs["cosine"].dropna(), "distance")):
        if len(studied) and not studied.min() <= value <= studied.max():
            warnings.append(
                f"{what.capitalize()}: {value:.3g} lies outside what was studied here ({studied.min():.3g} to "
                f"{studied.max():.3g}); the forecast reaches beyond its experiments."
            )
    return warnings
