"""Which candidate of a search stands for a run: rules that see validation images only, never the test images.

- validation: the candidate that is best on the run's own validation images;
- average: none, but the mean of the probabilities of those that validation cannot tell from the best: trained to the
  end, and within two standard errors of its accuracy;
- transfer: the candidate whose validation accuracy is nearest to the best on the study's other targets;
- shrinkage: both: own validation accuracy, drawn towards what the other targets say by as many images as `PRIOR`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from freeze_or_tune.records.experiment import Experiment, Run, Tested
from freeze_or_tune.study.solver import Candidate, Rule
from freeze_or_tune.system.errors import UserError

PRIOR = 50
"""Validation images that the other targets' word counts for."""

AVERAGE = -1
"""Stands for the mean of the candidates, where a place of one is asked for."""


class Chosen(NamedTuple):
    """What stands for a run."""

    place: int
    """Of the candidate, or AVERAGE."""
    tested: Tested
    iterations: int
    best_iteration: int


def first(run: Run) -> Chosen:
    """The solver's own rate and decay, without a search."""
    return _candidate(run, 0)


def chosen(records: Sequence[Experiment], rule: Rule) -> list[list[Chosen]]:
    """What stands for each run of each record; a run without a search stands for itself."""
    return [[_chosen(records, record, run, rule) for run in record.runs] for record in records]


def _chosen(records: Sequence[Experiment], record: Experiment, run: Run, rule: Rule) -> Chosen:
    if not run.candidates:
        return _candidate(run, 0)
    if rule == "average":
        if run.average is None:
            raise UserError(f"{record.settings.target}: a run has candidates, but not their average")
        return Chosen(AVERAGE, run.average, run.iterations, run.iterations)
    return _candidate(run, _PLACES[rule](records, record, run))


def _candidate(run: Run, place: int) -> Chosen:
    tried = run.candidates[place] if run.candidates else run
    return Chosen(place, tried, tried.iterations, tried.best_iteration)


def _by_validation(records: Sequence[Experiment], record: Experiment, run: Run) -> int:
    return max(range(len(run.candidates)), key=lambda place: run.candidates[place].rank)


def _by_transfer(records: Sequence[Experiment], record: Experiment, run: Run) -> int:
    lost = _lost_by_others(records, record)
    return _by_validation(records, record, run) if lost is None else int(lost.argmin())


def _by_shrinkage(records: Sequence[Experiment], record: Experiment, run: Run) -> int:
    lost = _lost_by_others(records, record)
    if lost is None:
        return _by_validation(records, record, run)
    own = _accuracies(run)
    score = record.val_images * (own.max() - own) + PRIOR * lost
    best = np.flatnonzero(score == score.min())
    return int(max(best, key=lambda place: run.candidates[place].rank))


def _grid(run: Run) -> list[Candidate]:
    return [Candidate(*(getattr(tried, name) for name in Candidate._fields)) for tried in run.candidates]


def _accuracies(run: Run) -> np.ndarray:
    return np.array([tried.val_accuracy for tried in run.candidates])


def _lost_by_others(records: Sequence[Experiment], record: Experiment) -> np.ndarray | None:
    """What each candidate loses against the best on validation, on average over the other targets; None without any.

    Others count if they tried the same scheme with the same candidates; each target counts the same.
    """
    own = _grid(record.runs[0])
    lost: dict[str, list[np.ndarray]] = {}
    for other in records:
        same = other.settings.scheme == record.settings.scheme and other.settings.target != record.settings.target
        for run in other.runs if same else ():
            if _grid(run) == own:
                accuracies = _accuracies(run)
                lost.setdefault(other.settings.target, []).append(accuracies.max() - accuracies)
    return np.mean([np.mean(runs, axis=0) for runs in lost.values()], axis=0) if lost else None


_PLACES: dict[str, Callable[[Sequence[Experiment], Experiment, Run], int]] = {
    "validation": _by_validation, "transfer": _by_transfer, "shrinkage": _by_shrinkage,
}  # fmt: skip
