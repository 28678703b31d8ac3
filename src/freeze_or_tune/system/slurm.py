"""What Snakemake's SLURM plugin lacks: patience with a controller that does not answer, and thoroughness at Ctrl-C."""

import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

Answer = tuple[dict[str, str] | None, float | None]


def wait_for_the_controller() -> None:
    """Let the plugin (2.8.0), where Snakemake has loaded it, keep its jobs while nobody tells it of them.

    It asks five times, with ten seconds each where slurmctld is away, then forgets all jobs that it asked about, and
    snakemake waits for ever. And without the controller it does not know MinJobAge, takes it for too short and asks
    sacct, which on a cluster without accounting never answers.
    """
    plugin: Any = sys.modules.get("snakemake_executor_plugin_slurm")
    if plugin is None:
        return
    plugin.query_job_status = _unanswered_is_unknown(plugin.query_job_status)
    plugin.get_min_job_age = _remembered(plugin.get_min_job_age)


def cancel_forgotten_jobs(logs: Iterable[str]) -> None:
    """Cancel what is left on a SLURM after Ctrl-C, by the name that all jobs of a run have (from Snakemake's logs).

    Snakemake cancels them itself, but not those whose state it was asking for, nor one that it was just submitting.
    """
    for log in logs:
        for run in re.findall(r"SLURM run ID: (\S+)", Path(log).read_text()):
            subprocess.run(["scancel", "--name", run], check=False)


def _unanswered_is_unknown(query: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """No answer as that of a SLURM that does not know the jobs yet: the plugin then asks again later."""

    async def asked(*arguments: Any) -> Answer:
        states, seconds = await query(*arguments)
        return (states, seconds) if states is not None else ({}, 0.0)

    return asked


def _remembered(ask: Callable[[], int | None]) -> Callable[[], int | None]:
    """The first answer, for ever: it is a constant of the cluster."""
    known: list[int] = []

    def age() -> int | None:
        if not known and (answer := ask()) is not None:
            known.append(answer)
        return known[0] if known else None

    return age
