"""Snakemake's SLURM plugin when the controller does not answer: with its own check of jobs, and no SLURM at all."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import snakemake_executor_plugin_slurm

from freeze_or_tune.system.slurm import wait_for_the_controller


class Immediately(nullcontext[None]):
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in ("query_job_status", "get_min_job_age", "is_query_tool_available"):
        monkeypatch.setattr(snakemake_executor_plugin_slurm, name, getattr(snakemake_executor_plugin_slurm, name))
    monkeypatch.setattr(snakemake_executor_plugin_slurm, "is_query_tool_available", lambda _: True)
    return snakemake_executor_plugin_slurm


def answers(plugin: ModuleType, ages: list[int | None], states: Callable[[str], dict[str, str] | None]) -> list[str]:
    """Let these be a cluster's answers; return the list of commands that it is asked, growing."""
    asked: list[str] = []
    age: Iterator[int | None] = iter(ages)

    async def query(command: str, _: object) -> tuple[dict[str, str] | None, float | None]:
        asked.append(command.split(maxsplit=1)[0])
        found = states(asked[-1])
        return (found, 0.1) if found is not None else (None, None)

    plugin.query_job_status = query  # type: ignore[attr-defined]
    plugin.get_min_job_age = lambda: next(age)  # type: ignore[attr-defined]
    return asked


def look(plugin: ModuleType) -> tuple[list[str], list[str]]:
    """Jobs 1 and 2, looked at once: which are watched on, and which have succeeded."""
    succeeded: list[str] = []
    logger = SimpleNamespace(debug=lambda *_: None, info=lambda *_: None, warning=lambda *_: None)
    settings = SimpleNamespace(status_attempts=5, init_seconds_before_status_checks=20, keep_successful_logs=True)
    executor: Any = SimpleNamespace(
        workflow=SimpleNamespace(executor_settings=settings), logger=logger, run_uuid="run",
        next_seconds_between_status_checks=20, status_rate_limiter=Immediately(), _status_query_failures=0,
        _status_query_calls=0, _status_query_total_seconds=0.0, _status_query_min_seconds=None,
        _status_query_max_seconds=0.0, _status_query_cycle_rows=[], get_status_command=lambda: "squeue",
        report_job_success=lambda job: succeeded.append(job.external_jobid),
    )  # fmt: skip
    jobs = [SimpleNamespace(external_jobid=number, aux={"slurm_logfile": Path("log")}) for number in ("1", "2")]

    async def check() -> list[str]:
        return [job.external_jobid async for job in plugin.Executor.check_active_jobs(executor, jobs)]

    with ThreadPoolExecutor(1) as thread:  # in the tests' own another loop may be running, of a browser
        return thread.submit(asyncio.run, check()).result(), succeeded


def test_jobs_are_kept_while_nobody_answers(plugin: ModuleType) -> None:
    answers(plugin, [300], lambda _: None)
    wait_for_the_controller()
    assert look(plugin) == (["1", "2"], [])


def test_squeue_is_asked_also_while_the_controller_is_away(plugin: ModuleType) -> None:
    asked = answers(plugin, [300, None], lambda _: {"1": "COMPLETED", "2": "RUNNING"})
    wait_for_the_controller()
    assert look(plugin) == look(plugin) == (["2"], ["1"])
    assert set(asked) == {"squeue"}


def test_a_cluster_that_forgets_its_jobs_soon_is_asked_for_its_accounts(plugin: ModuleType) -> None:
    asked = answers(plugin, [None, 10], lambda _: {"1": "RUNNING", "2": "RUNNING"})
    wait_for_the_controller()
    assert look(plugin) == look(plugin) == (["1", "2"], [])
    assert set(asked) == {"sacct"}


def test_it_is_still_needed(plugin: ModuleType) -> None:
    """Fails once the plugin has learned it: then `system/slurm.py` can go."""
    answers(plugin, [300], lambda _: None)
    assert look(plugin) == ([], [])
