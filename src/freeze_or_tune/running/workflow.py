"""The workflow as a process: started, followed, stopped, and its failure in one sentence."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from freeze_or_tune.running.display import Display
from freeze_or_tune.running.stages import Stages
from freeze_or_tune.running.studies import own_studies
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.failures import failures, in_words
from freeze_or_tune.system.job_logs import last_message
from freeze_or_tune.system.shipped import shipped
from snakemake_logger_plugin_freeze_or_tune import CHANNEL

_TICK = 1.0
"""Seconds between two looks at the clock."""
_LOCKED = "LockException"


@dataclass(frozen=True)
class Run:
    """What is to be made, in which folder, of which study; without `studies` that of the folder, or the default one."""

    targets: Sequence[str] = ()
    directory: Path = Path()
    studies: Sequence[str] = ()
    config: Mapping[str, object] = field(default_factory=dict)
    profile: str | None = None
    cores: int | None = None
    options: Sequence[str] = ()

    def command(self) -> list[str]:
        """Snakemake's command line; values are quoted, for Snakemake reads them as YAML."""
        own = self.directory / "profiles/default"
        words = ["--snakefile", shipped("workflow/Snakefile"), "--directory", self.directory]
        words += ["--workflow-profile", own.resolve() if own.is_dir() else shipped("profiles/default")]
        words += ["--profile", _profile(self.profile, self.directory)] if self.profile else []
        words += ["--cores", self.cores] if self.cores else []
        # A profile may name a study of its own.
        studies = self.studies if self.profile else own_studies(self.studies, self.directory)
        words += ["--configfile", *studies] if studies else []
        given = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in self.config.items()]
        words += ["--config", *given] if given else []
        words += [*self.options, "--logger", "freeze-or-tune", "--", *self.targets]
        return [sys.executable, "-m", "snakemake", *map(str, words)]


def _profile(name: str, directory: Path) -> Path | str:
    """A folder as it is named, a profile that ships, or what Snakemake knows by the name."""
    if Path(name).is_dir():
        return Path(name).resolve()
    own = directory / "profiles" / name
    if own.is_dir():
        return own.resolve()
    return shipped("profiles", name) if (shipped("profiles") / name).is_dir() else name


def run_workflow(run: Run, display: Display | None = None, expected: Mapping[str, float] | None = None) -> Stages:
    """Make what a run asks for, and return of what stages it was.

    UserError says in a sentence what went wrong, KeyboardInterrupt that all has stopped.

    `expected` are seconds of a job of a stage (running/stages.py), where they are known beforehand.
    """
    run.directory.mkdir(parents=True, exist_ok=True)
    display = display or Display()
    transcript = run.directory / ".snakemake/log/freeze-or-tune.log"
    transcript.parent.mkdir(parents=True, exist_ok=True)
    heard = _Heard(run.directory, display, expected)
    display.planning()
    with transcript.open("wb") as said, _started(run, said) as (process, lines):
        try:
            _listen(lines, heard)
            status = process.wait()
        except KeyboardInterrupt:
            display.clear()
            _stop(process)
            print("stopped: the same command goes on from there", file=sys.stderr)
            raise
    display.clear()
    if status:
        raise UserError(heard.failure() or f"snakemake has ended with status {status}\n  log: {transcript}")
    return heard.stages


@contextmanager
def _started(run: Run, said: IO[bytes]) -> Iterator[tuple[subprocess.Popen[bytes], IO[str]]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
        try:
            # In a process group of its own: Ctrl-C comes to us alone, and we pass it on, once.
            process = subprocess.Popen(
                run.command(), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
                pass_fds=[writing], env=_environment(run.directory) | {CHANNEL: str(writing)}, process_group=0,
            )  # fmt: skip
        finally:
            os.close(writing)
        yield process, lines


def _environment(directory: Path) -> dict[str, str]:
    """This process's; caches lie in the folder where nothing can be written at home."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except OSError:
        own = str((directory / ".snakemake/cache").resolve())
        return {**os.environ, "XDG_CACHE_HOME": own, "MPLCONFIGDIR": own}
    return dict(os.environ)


def _listen(lines: IO[str], heard: "_Heard") -> None:
    """Follow the events until there are no more: the clock goes on between them."""
    events: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in lines:
            events.put(line)
        events.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = events.get(timeout=_TICK)
        except queue.Empty:
            heard.tick()
            continue
        if line is None:
            return
        heard.event(json.loads(line))


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C would: jobs save their places. A second Ctrl-C does not wait for them."""
    print("stopping: what runs saves its place", file=sys.stderr)
    try:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    except ProcessLookupError:
        process.wait()


class _Heard:
    """What Snakemake has told so far."""

    def __init__(self, directory: Path, display: Display, expected: Mapping[str, float] | None) -> None:
        self.directory, self.display, self.expected = directory, display, expected
        self.stages = Stages({}, expected)
        self.logs: dict[int, Path] = {}
        self.failed: dict[int, tuple[str, Path | None]] = {}
        self.errors: list[tuple[str, str]] = []

    def event(self, told: Mapping[str, Any]) -> None:
        """One event of the plugin."""
        now = self.display.clock()
        match told["event"]:
            case "run_info":
                rules = {rule: jobs for rule, jobs in told["stats"].items() if rule not in {"total", "all"}}
                self.stages = Stages(rules, self.expected)
            case "job_info":
                self.stages.begin(told["jobid"], told["rule_name"], now)
                if told["log"]:
                    self.logs[told["jobid"]] = self.directory / told["log"][0]
                self.failed.pop(told["jobid"], None)
            case "job_finished":
                stage = self.stages.end(told["job_id"], now)
                if stage:
                    self.display.finished(stage)
            case "job_error":
                self.stages.failed(told["jobid"], now)
                self.failed[told["jobid"]] = (told["rule_name"], self.logs.get(told["jobid"]))
            case "error":
                self.errors.append((told["exception"], told["message"]))
        self.tick()

    def tick(self) -> None:
        """Say where the run is, with what the running job last said."""
        current = self.stages.current
        log = self.logs.get(max(current.running)) if current else None
        self.display.update(self.stages, last_message(log) if log else "")

    def failure(self) -> str:
        """What went wrong, each failed job in a sentence with its log; empty if nothing was said of it."""
        if self.failed:
            return in_words(failures(self.failed.values()))
        return "\n".join(dict.fromkeys(sentence(kind, message, self.directory) for kind, message in self.errors))


def sentence(exception: str, message: str, directory: Path) -> str:
    """What a person needs of an error that Snakemake reports: without its files, lines and tracebacks."""
    if exception == _LOCKED:
        return (
            f"another run is at work in {directory.resolve()}: wait for it. If there is none, one was killed and has "
            "left its lock: freeze-or-tune run --unlock"
        )
    own = re.search(r"UserError: (.*?)(?=\nWildcards:|\nTraceback|\Z)", message, re.DOTALL)
    if own:
        return own[1].strip()
    without_head = re.sub(r"\A\w+(Error|Exception)( in (rule|file) [^\n]*)?:\n", "", message)
    without_head = re.sub(r" \(if you use input functions make sure [^)]*\)", "", without_head)
    return re.sub(r'(\n  File "[^"\n]*", line [0-9]+, in [^\n]+)+\Z', "", without_head).strip()
