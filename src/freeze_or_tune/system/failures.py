"""What has failed in a run of Snakemake: a sentence for each job, with its log, said when Snakemake has said all."""

import atexit
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from freeze_or_tune.system.job_logs import ended_well, last_lines, reason

MOST = 5
"""Failed jobs that are named; further ones are counted."""


class Failure(NamedTuple):
    """Why a job has failed, and the log that says more."""

    sentence: str
    log: Path | None


def failures(jobs: Iterable[tuple[str, Path | None]]) -> list[Failure]:
    """Of jobs that have ended with an error, by rule and log: each once, unless it did well when it was tried again."""
    found: dict[Failure, None] = {}
    for rule, log in jobs:
        lines = last_lines(log) if log else []
        if not ended_well(lines):
            found[Failure(reason(lines) or f"the job {rule} has failed", log)] = None
    return list(found)


def in_words(found: list[Failure]) -> str:
    """What a person must read: each sentence with its log, as it is called from the folder that the process is in."""
    told = [f"{one.sentence}\n  log: {_from_here(one.log)}" if one.log else one.sentence for one in found[:MOST]]
    rest = len(found) - MOST
    return "\n".join([*told, *([f"and {rest} more jobs have failed"] if rest > 0 else [])])


def _from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


class _Watch(logging.Handler):
    """Remembers the jobs that Snakemake reports as failed, whatever --quiet keeps from the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[int, tuple[str, Path | None]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Note a job that has ended with an error; one that begins again has not failed yet."""
        event = getattr(record, "event", None)
        if event == "job_info":
            self.jobs.pop(record.jobid, None)  # type: ignore[attr-defined]
        elif event == "job_error":
            logs = [Path(log).absolute() for log in record.log]  # type: ignore[attr-defined]
            # Of a group all jobs are reported: those that were not begun have nothing to say.
            if not getattr(record, "indent", False) or any(reason(last_lines(log)) for log in logs[:1]):
                self.jobs[record.jobid] = (record.rule_name, next(iter(logs), None))  # type: ignore[attr-defined]


_watch = _Watch()


def watch_jobs() -> None:
    """Begin to listen to Snakemake, where it has loaded the workflow."""
    logging.getLogger("snakemake.logging").addHandler(_watch)  # which has each handler once


def tell_last() -> None:
    """Say what has failed at the very end of this process: Snakemake itself says more after its `onerror`."""
    atexit.unregister(_tell)
    atexit.register(_tell)


def _tell() -> None:
    words = in_words(failures(_watch.jobs.values()))
    if words:
        sys.stdout.flush()
        print(f"\nerror: {words}", file=sys.stderr)
