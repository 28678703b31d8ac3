"""What it takes snakemake to plan a study of so many experiments: `python benchmarks/planning.py [EXPERIMENTS...]`.

The study is the embedded one with more targets; nothing of it is made, so the plan holds every job. Seconds are of
processor time: planning keeps one core busy, and the clock would count what else runs on the machine.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SIZES = (178, 2_000, 20_000)


def synthetic(experiments: int) -> dict[str, Any]:
    """The embedded study's first target under as many names as it takes: 18 experiments each, the last one fewer."""
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    target = study["targets"]["latin-b"] | {"n": list(range(1, 11))}
    each = len(target["n"]) * len(study["schemes"])
    study["targets"] = {f"target-{number}": target for number in range(experiments // each)}
    rest = experiments % each
    if rest:
        schemes = study["schemes"][: rest if rest < len(study["schemes"]) else 1]
        study["targets"]["rest"] = target | {"n": list(range(1, rest // len(schemes) + 1)), "schemes": schemes}
    study["distances"]["metrics"] = ["cosine"]
    return study


def plan(experiments: int) -> tuple[float, float]:
    """Seconds of processor time and peak memory (MB) of `snakemake --dry-run`."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "study.yaml")
        config.write_text(yaml.safe_dump(synthetic(experiments)), encoding="utf-8")
        command = [
            sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", folder,
            "--configfile", str(config), "--dry-run", "--quiet",
        ]  # fmt: skip
        measured = subprocess.run(
            [sys.executable, "-c", _MEASURE, *command], capture_output=True, text=True, check=True, env=os.environ
        )
    seconds, megabytes = measured.stdout.split()[-2:]
    return float(seconds), float(megabytes)


# In a process of its own, whose only child snakemake is.
_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def rows(sizes: Sequence[int] = SIZES) -> Iterator[tuple[int, float, float]]:
    """(experiments, seconds, peak memory in MB) of each size."""
    for experiments in sizes:
        yield experiments, *plan(experiments)


if __name__ == "__main__":
    print("experiments  seconds  peak MB")
    for experiments, seconds, megabytes in rows(tuple(map(int, sys.argv[1:])) or SIZES):
        print(f"{experiments:>11,}  {seconds:>7.1f}  {megabytes:>7.0f}", flush=True)
