"""Stage: the race of schemes on one's own images, within a budget of time."""

import logging
import math
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from freeze_or_tune.analysis.statistics.paired import NONE, Correct, Decision, Difference, corrected, decide, difference
from freeze_or_tune.analysis.statistics.shares import wilson
from freeze_or_tune.data.own.folds import FOLDS, draw_fold, groups_a_class
from freeze_or_tune.data.splits import Row, read_split, write_split
from freeze_or_tune.records.correctness import unpack
from freeze_or_tune.records.experiment import Experiment, Varied
from freeze_or_tune.records.probes import Profile, most_telling
from freeze_or_tune.records.race import Race, Raced
from freeze_or_tune.records.recipes import RECIPES
from freeze_or_tune.stages.memory import too_large
from freeze_or_tune.stages.work import Start, Work, favourites, suited
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Advising, Machine, TrainingSettings
from freeze_or_tune.study.shapes import shape_of
from freeze_or_tune.study.solver import Candidate
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import write_text
from freeze_or_tune.system.hashing import digest_of, stable_digest
from freeze_or_tune.training.checkpoint import only_process
from freeze_or_tune.training.device import free_memory_mb, prepare_device

log = logging.getLogger(__name__)

BUDGET = 3.0
"""Minutes, where the study does not say."""
FIRST = 10.0
"""Minutes that a first round may take then: to try both without a race would take as long, and choose by less."""
_BACKWARD = 3
"""Times that a training step takes as long as its images' way up the network."""


def race(
    profiles: Sequence[Path], split: Path, starts: Mapping[str, Start], settings: Sequence[TrainingSettings],
    record: Path, machine: Machine, threads: int, advising: Advising, budget: float | None,
    memory_mb: float = math.inf,
) -> None:  # fmt: skip
    """Train the schemes of the most telling source in rounds, each on another fold, and write which has won.

    A scheme that is clearly behind drops out; the race ends when it is decided, when every image has tested once, or
    before the round that would exceed the budget (minutes), from which a larger one goes on. One that is too short for
    a first round is a UserError that says how long it takes; where none was given (None) that may take FIRST, and there
    is no race if it would take longer. Rounds that were run before an interruption are not run again.
    """
    chosen = most_telling([Profile.read(path) for path in profiles])
    dataset, minutes = settings[0].dataset, BUDGET if budget is None else budget
    rows = read_split(split, 0, 0, 0, pool="shares")
    few = _too_few(rows)
    images = Counter(row.subset for row in ([] if few else _fold(rows, 0, settings[0], advising)))
    everything = [suited(one, chosen) for one in settings if one.source == chosen.source]
    wanted = _contenders(everything, chosen)
    if _seconds(wanted, images, chosen) > 60 * minutes:
        wanted = [one for one in wanted if not Scheme.parse(one.scheme).between]
    schemes = {one.scheme: one for one in wanted}
    nothing = Race(
        dataset=dataset, source=chosen.source, budget=minutes, rounds=0, planned=FOLDS, seconds=0,
        margin=advising.margin, schemes=(),
    )  # fmt: skip
    free = free_memory_mb(prepare_device(machine, threads))
    large = [words for one in schemes.values() if (words := too_large(chosen, one, free))]
    problem = (
        few or "; ".join(large) or _too_long(_seconds(wanted, images, chosen), wanted, minutes, budget is not None)
    )
    if problem:
        log.warning("no race: %s", problem)
        nothing.model_copy(update={"left_out": problem}).write(record)
        return
    work = Work(split, starts[chosen.source], machine, threads, memory_mb)
    with only_process(record):
        folder = record.parent / f".race-{_key(work, everything)}"
        found = _run(rows, schemes, work, folder, nothing, advising)
        found.write(record)
        if found.verdict != "open" or found.rounds == FOLDS:  # else a larger budget goes on from here
            shutil.rmtree(folder, ignore_errors=True)


def _run(
    rows: Sequence[Row], schemes: Mapping[str, TrainingSettings], work: Work, folder: Path, nothing: Race,
    advising: Advising,
) -> Race:  # fmt: skip
    """All rounds."""
    z = corrected(FOLDS, len(schemes) - 1)
    correct: dict[str, Correct] = {scheme: np.zeros(0, bool) for scheme in schemes}
    costs: dict[str, list[float]] = {scheme: [] for scheme in schemes}
    alive, spent = list(schemes), 0.0
    for fold in range(FOLDS):
        longest = sum(max(costs[scheme], default=0.0) for scheme in alive)
        if fold and spent + longest > 60 * nothing.budget:
            log.info("round %d would exceed the budget of %g minutes", fold + 1, nothing.budget)
            break
        drawn = folder / f"{fold}.csv"
        write_split(_fold(rows, fold, next(iter(schemes.values())), advising), drawn)
        for scheme in alive:
            log.info("round %d of %d: %s", fold + 1, FOLDS, scheme)
            found, seconds = _round(schemes[scheme], replace(work, split=drawn), folder / str(fold) / f"{scheme}.json")
            correct[scheme] = np.concatenate([correct[scheme], found])
            costs[scheme].append(seconds)
            spent += seconds
        decision = decide(correct, {scheme: float(np.mean(costs[scheme])) for scheme in schemes}, z, nothing.margin)
        _say(decision, correct, alive)
        alive = [scheme for scheme in alive if decision.behind[scheme].low <= 0]
        if decision.verdict != "open":
            break
    ranking = sorted(schemes, key=lambda scheme: (-len(costs[scheme]), -correct[scheme].mean()))
    won = correct[decision.winner]
    behind = {scheme: difference(won[: len(right)], right, z) for scheme, right in correct.items()}
    behind[decision.winner] = NONE
    return nothing.model_copy(update={
        "rounds": max(map(len, costs.values())), "seconds": spent,
        "schemes": tuple(
            _raced(schemes[scheme], correct[scheme], costs[scheme], behind[scheme], folder) for scheme in ranking
        ),
        "winner": decision.winner, "verdict": decision.verdict, "more_images": decision.more_images,
    })  # fmt: skip


def _round(settings: TrainingSettings, work: Work, result: Path) -> tuple[Correct, float]:
    """Which test images of a fold a scheme is right on, and the seconds that it took."""
    timed = result.with_suffix(".seconds")
    if not timed.exists():
        start = time.perf_counter()
        work.train(settings, result)
        write_text(timed, f"{time.perf_counter() - start}")
    experiment = Experiment.read(result)
    return np.array(unpack(experiment.runs[0].correct, experiment.test_images), bool), float(timed.read_text())


def _raced(
    settings: TrainingSettings, correct: Correct, seconds: Sequence[float], behind: Difference, folder: Path
) -> Raced:
    low, high = wilson(int(correct.sum()), len(correct))
    rounds = [Experiment.read(path) for path in sorted(folder.glob(f"*/{settings.scheme}.json"))]
    return Raced(
        scheme=settings.scheme, rounds=len(seconds), images=len(correct), accuracy=float(correct.mean()),
        low=low, high=high, seconds=float(np.mean(seconds)),
        candidates=tuple(map(Varied.of, _favourites(settings, rounds))),
        behind=behind.value, behind_low=behind.low, behind_high=behind.high,
    )  # fmt: skip


def _favourites(settings: TrainingSettings, rounds: Sequence[Experiment]) -> tuple[Candidate, ...]:
    """By the images that tested in the rounds: those that validate in one of them are too few to choose by."""
    right: Counter[Candidate] = Counter()
    for experiment in rounds:
        # Of equals the one that validation prefers.
        for tried in sorted(experiment.runs[0].candidates, key=lambda tried: tried.rank, reverse=True):
            right[tried.candidate] += round(tried.test_accuracy * experiment.test_images)
    return favourites(settings, right, sum(experiment.test_images for experiment in rounds))


def _say(decision: Decision, correct: Mapping[str, Correct], alive: Sequence[str]) -> None:
    for scheme in alive:
        behind = decision.behind[scheme]
        log.info(
            "%s: %.1f %% of %d images, %.1f points behind the leader (%.1f to %.1f)", scheme,
            100 * correct[scheme].mean(), len(correct[scheme]), 100 * behind.value, 100 * behind.low, 100 * behind.high,
        )  # fmt: skip


def _too_few(rows: Sequence[Row]) -> str:
    enough = sum(groups >= FOLDS for groups in groups_a_class(rows).values())
    if enough >= 2:
        return ""
    return (
        f"it takes two classes with {FOLDS} images each, of different groups, besides those that test, and "
        f"{enough or 'no'} class has them; add images"
    )


def _fold(rows: Sequence[Row], fold: int, settings: TrainingSettings, advising: Advising) -> list[Row]:
    """In a fold the share that validates is that of the whole split."""
    val = advising.val / (1 - advising.test)
    return draw_fold(rows, fold, dataset=settings.dataset, seed=settings.seed, val=val)


def _contenders(settings: Sequence[TrainingSettings], profile: Profile) -> list[TrainingSettings]:
    """All tuned, all frozen, and frozen up to the block that tells most, or half-way where that is the last."""
    blocks = Scheme.parse(settings[0].scheme).blocks
    upto = profile.best.block if profile.best.block < blocks - 1 else blocks // 2
    return [one for one in settings if Scheme.parse(one.scheme).frozen in (0, upto, blocks - 1)]


def _seconds(schemes: Sequence[TrainingSettings], images: Mapping[str, int], profile: Profile) -> float:
    """What a round takes."""
    return sum(_foreseen(one, images) for one in schemes) / profile.images_per_second


def _too_long(seconds: float, schemes: Sequence[TrainingSettings], minutes: float, given: bool) -> str:
    """What a round takes, if that exceeds the budget; UserError if somebody asked for that budget."""
    if seconds <= 60 * (minutes if given else max(minutes, FIRST)):
        return ""
    needed = math.ceil(seconds / 60)
    both, plural = " and ".join(one.scheme for one in schemes), "s" * (needed > 1)
    words = f"one round of {both} takes some {needed} minute{plural} here"
    if given:
        raise UserError(
            f"the budget of {minutes:g} minutes is too short: {words}. Give it {needed} at least, or 0 "
            "for advice without a race"
        )
    return f"{words}, more than the {FIRST:g} that it is given unless you say otherwise: give it a budget of {needed}"


def _foreseen(settings: TrainingSettings, images: Mapping[str, int]) -> float:
    """Images that a round of a scheme sends through the network, as shares of it.

    Frozen blocks see those of each view once, tuned ones those of every step.
    """
    scheme, solver, work = Scheme.parse(settings.scheme), settings.solver, shape_of(settings.network).work
    tuned = sum(work[scheme.frozen :]) / sum(work)
    once = images["train"] * (max(1, solver.views) + 1) + images["val"] + images["test"]
    looks = solver.evaluations * images["val"] + images["test"]
    always = solver.lanes(scheme) * (_BACKWARD * solver.iterations(images["train"]) * solver.batch + looks)
    return (1 - tuned) * once + tuned * always


def _key(work: Work, schemes: Iterable[TrainingSettings]) -> str:
    """A hash of all that determines the rounds."""
    contents = [digest_of(path) for path in (work.split, work.start.store.with_suffix(".csv"), work.start.weights)]
    digests = sorted(one.digest for one in schemes)
    return stable_digest(RECIPES["advice"], RECIPES["training"], contents, digests)[:16]
