"""How far a study is, by its records, logs, checkpoints and locks alone: no scheduler is asked, nothing is changed."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from tabulate import tabulate

from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.study.study import Study
from freeze_or_tune.system.errors import STOPPED, UserError
from freeze_or_tune.system.files import checkpoint_folder, lock_file
from freeze_or_tune.system.job_logs import ended_well, failure, last_lines, message, reason
from freeze_or_tune.system.locks import held

State = Literal["done", "running", "waiting", "interrupted", "failed", "damaged", "outdated"]
"""interrupted: by a signal (preemption, a time limit, scancel), or without a word (killed, a node that died); outdated:
made with other settings than the study's."""

STATES: tuple[State, ...] = ("done", "running", "waiting", "interrupted", "failed", "damaged", "outdated")
TROUBLE = frozenset({"failed", "damaged"})
"""The states that end in an error if nobody does anything."""


class Standing(NamedTuple):
    """Where an experiment stands."""

    target: str
    n: int
    scheme: str
    state: State
    note: str
    """How far it is, why it has failed, or (done) what hints at a run that has not converged."""
    log: Path


class FailedStage(NamedTuple):
    """A job before the experiments that has failed, so that others wait for it."""

    reason: str
    log: Path


def standings(study: Study) -> list[Standing]:
    """Where each experiment of a study stands, in the order of the config."""
    results = Path(study.results)
    found = []
    for target, n, scheme in study.experiments():
        path = f"experiments/{target}/n{n}/{scheme}"
        log = results / f"logs/{path}.log"
        state, note = _standing(results / f"{path}.json", log, study.experiment(target, n, scheme).digest)
        found.append(Standing(target, n, scheme, state, note, log))
    return found


def failed_stages(study: Study) -> list[FailedStage]:
    """Jobs of all other rules whose last run has failed."""
    logs = Path(study.results, "logs")
    others = (path for path in sorted(logs.rglob("*.log")) if path.relative_to(logs).parts[0] != "experiments")
    return [FailedStage(why, path) for path in others if (why := failure(path))]


def _standing(record: Path, log: Path, digest: str) -> tuple[State, str]:
    if held(lock_file(record)):
        return "running", message(last_lines(log)[-1:])
    if record.exists():
        return _made(record, digest)
    lines = last_lines(log)
    why = reason(lines)
    if why:
        return "interrupted" if why.startswith(STOPPED) else "failed", why
    left = checkpoint_folder(record).exists() or lock_file(record).exists()
    if left or (lines and not ended_well(lines)):
        return "interrupted", message(lines[-1:])
    return "waiting", ""


def _made(record: Path, digest: str) -> tuple[State, str]:
    try:
        made = Experiment.read(record)
    except UserError as error:
        return "damaged", str(error)
    if made.digest != digest:
        return "outdated", "snakemake will make it again"
    hints = dict.fromkeys(hint for of_run in made.unconverged().values() for hint in of_run)
    return "done", ", ".join(hints)


def report(experiments: Iterable[Standing], stages: Iterable[FailedStage]) -> str:
    """Counts of each target, and a line for each experiment that runs or is in trouble, with its log."""
    experiments = list(experiments)
    counts = Counter((one.target, one.state) for one in experiments)
    shown = [state for state in STATES if any(one.state == state for one in experiments)]
    targets = list(dict.fromkeys(one.target for one in experiments))
    rows = [[target, *(counts[target, state] for state in shown)] for target in targets]
    rows.append(["all", *(sum(counts[target, state] for target in targets) for state in shown)])
    parts = [str(tabulate(rows, ["target", *shown]))]
    for one in experiments:
        if one.state not in {"done", "waiting", "outdated"}:
            parts.append(f"{one.state}: {one.target} n={one.n} {one.scheme}: {one.note or 'no message'}\n  {one.log}")
    hints = Counter(hint for one in experiments if one.state == "done" and one.note for hint in one.note.split(", "))
    if hints:
        found = ", ".join(f"{hint} in {count}" for hint, count in hints.items())
        parts.append(f"experiments that may not have converged: {found} (the report lists them)")
    parts += [f"failed before the experiments: {stage.reason}\n  {stage.log}" for stage in stages]
    return "\n".join(parts)
