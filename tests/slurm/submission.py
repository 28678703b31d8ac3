"""Runs of `snakemake --profile profiles/slurm`, and the experiments that they put on nodes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .cluster import command_of, environment_of, processes, wait_until

ROOT = Path(__file__).parents[2]
EXPERIMENT = "results/experiments/digits/n10/T1-7_R8.json"

# As `python -m snakemake`, but for the plugin's patience: 20 seconds and more between two looks at the queue. And as
# from a terminal: what a shell starts in the background ignores ctrl-C, and so would all that these tests start.
SNAKEMAKE = """
import signal
import snakemake_executor_plugin_slurm as plugin
from snakemake.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
plugin.Executor.next_seconds_between_status_checks = property(lambda self: 0.5, lambda self, seconds: None)
main()
"""


class Submission:
    """A running snakemake that submits to the cluster."""

    def __init__(self, study: Path, arguments: Sequence[str]) -> None:
        """Start it on the study of a folder."""
        self.log = study / f"submission-{time.monotonic_ns()}.log"
        command = [
            sys.executable, "-c", SNAKEMAKE, "--snakefile", ROOT / "Snakefile", "--directory", study,
            "--configfile", study / "study.yaml", "--profile", ROOT / "profiles/slurm", *arguments,
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=study, stdout=log, stderr=log, start_new_session=True)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text()

    def end(self, seconds: float = 900) -> int:
        """Wait for its end and return its exit status."""
        return self.process.wait(timeout=seconds)

    def succeeds(self) -> None:
        """Wait for its end, which must be a good one."""
        assert self.end() == 0, self.output

    @property
    def submitted(self) -> Counter[str]:
        """How many jobs of each rule it has submitted."""
        jobs = re.findall(
            r"Job \d+ has been submitted with SLURM jobid \d+ \(log: .*/(?:rule|group)_(\w+)/", self.output
        )
        return Counter(jobs)


class Training:
    """The process that trains the experiment on a node, held between two steps while a test does its worst."""

    def __init__(self, study: Path, submission: Submission) -> None:
        """Wait until it has saved a state, and stop its clock."""
        self.study = study
        states = f".{Path(EXPERIMENT).stem}.checkpoints/*/*.pt"

        def started() -> bool:
            assert submission.process.poll() is None, submission.output
            return any((study / EXPERIMENT).parent.glob(states))

        wait_until(started, "a state is saved", 120)
        self.number = next(
            number
            for number in processes()
            if _trains(command_of(number)) and Path(f"/proc/{number}/cwd").resolve() == study
        )
        self.job = environment_of(self.number)["SLURM_JOB_ID"]
        os.kill(self.number, signal.SIGSTOP)
        assert not (study / EXPERIMENT).exists(), "the experiment was too short to be stopped in the middle"

    def go_on(self) -> None:
        """Let it train."""
        os.kill(self.number, signal.SIGCONT)


def _trains(command: list[str]) -> bool:
    """Whether a process runs the experiments' script as a job; the snakemakes around it name it too."""
    return any(word.endswith(".experiment.py") for word in command) and "snakemake" not in command


def runs(study: Path, path: str = EXPERIMENT) -> list[dict[str, object]]:
    """The runs of an experiment without what they cost, the only thing that may differ when repeated."""
    record = json.loads((study / path).read_text())
    return [{key: value for key, value in run.items() if key != "performance"} for run in record["runs"]]


def log_of_experiment(study: Path) -> str:
    """The log of the last process that worked on the experiment."""
    path = study / EXPERIMENT.replace("results/", "results/logs/").replace(".json", ".log")
    return path.read_text() if path.exists() else ""
