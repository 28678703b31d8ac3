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
from freeze_or_tune.system.locks import held

State = Literal["done", "running", "waiting", "interrupted", "failed", "damaged", "outdated"]
"""interrupted: by a signal (preemption, a time limit, scancel), or without a word (killed, a node that died); outdated:
made with other settings than the study's."""

STATES: tuple[State, ...] = ("done", "running", "waiting", "interrupted", "failed", "damaged", "outdated")
TROUBLE = frozenset({"failed", "damaged"})
"""The states that end in an error if nobody does anything."""

_TAIL = 8192
"""Bytes of a log that are read: its end says how it went."""


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
    return [FailedStage(reason, path) for path in others if (reason := _error(_last_lines(path)))]


def failure(log: Path) -> str:
    """Why the job of a log has failed, in its own words; empty if it says nothing of that."""
    return _error(_last_lines(log))


def last_message(log: Path) -> str:
    """What the job of a log last said, without time and level; empty if it is at its end, or in something longer."""
    lines = _last_lines(log)[-1:]
    return _message(lines) if lines and " INFO " in lines[0] and not _ended_well(lines) else ""


def _standing(record: Path, log: Path, digest: str) -> tuple[State, str]:
    if held(lock_file(record)):
        return "running", _message(_last_lines(log)[-1:])
    if record.exists():
        return _made(record, digest)
    lines = _last_lines(log)
    reason = _error(lines)
    if reason:
        return "interrupted" if reason.startswith(STOPPED) else "failed", reason
    left = checkpoint_folder(record).exists() or lock_file(record).exists()
    if left or (lines and not _ended_well(lines)):
        return "interrupted", _message(lines[-1:])
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


def _last_lines(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            return file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _ended_well(lines: list[str]) -> bool:
    """Whether a log is that of a job that has done its work: its result was removed, to be made again."""
    return " INFO peak memory " in lines[-1]


def _message(lines: list[str]) -> str:
    """The last line without its time and level."""
    return lines[-1].split(" INFO ", 1)[-1] if lines else ""


def _error(lines: list[str]) -> str:
    """Why a job has failed: its message, or the last line of its traceback; empty if it has not."""
    errors = [number for number, line in enumerate(lines) if " ERROR " in line]
    if not errors:
        return ""
    message = lines[errors[-1]].split(" ERROR ", 1)[1]
    return lines[-1] if lines[errors[-1] + 1 :] else message


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
