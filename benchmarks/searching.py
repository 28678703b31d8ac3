"""What a search costs: seconds of an experiment with several candidates over those of one, in turns on the same images.

Needs the embedded study's stores, splits and source network, which the workflow makes where they are missing.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.compare import table
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.study.solver import FrozenGrid, Search, TunedGrid
from freeze_or_tune.study.study import Study

CASES = {
    "F1-7_R8": Search(frozen=FrozenGrid(learning_rate=(0.01, 0.03, 0.1, 0.3), weight_decay=(0.0005, 0.005, 0.05))),
    "F1-5_R6-8": Search(frozen=FrozenGrid(learning_rate=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3))),
    "T1-7_R8": Search(tuned=TunedGrid(learning_rate=(0.001, 0.003, 0.01, 0.03, 0.1))),
}
N, REPEATS = 10, 3


def seconds(study: Study, target: str, scheme: str, search: Search | None) -> tuple[int, float]:
    """How many candidates a run has, and how long training takes."""
    settings = study.experiment(target, N, study.schemes[0]).model_copy(update={"scheme": scheme})
    solver = settings.solver.model_copy(update={"search": search})
    settings, results = settings.model_copy(update={"runs": 1, "solver": solver}), Path(study.results)
    size = study.network_of("latin-a").image_size
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        run_experiment(
            settings, results / f"stores/{target}-{size}.npy", results / f"splits/{target}/n{N}.csv",
            results / "networks/latin-a.safetensors", record, Machine(device="cpu"), threads=2,
        )  # fmt: skip
        run = Experiment.read(record).runs[0]
    return max(1, len(run.candidates)), run.performance.seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--target", default="greek", help="of the embedded study, with 10 images a class (default: greek)"
    )
    target = parser.parse_args().target
    study = read_study("config/config.yaml")
    wanted = [f"{study.results}/splits/{target}/n{N}.csv", f"{study.results}/networks/latin-a.safetensors"]
    wanted.append(f"{study.results}/stores/{target}-{study.network_of('latin-a').image_size}.npy")
    subprocess.run([sys.executable, "-m", "snakemake", "--quiet", "all", "--", *wanted], check=True)
    rows: list[tuple[object, ...]] = []
    for scheme, search in CASES.items():
        pairs = [(seconds(study, target, scheme, None), seconds(study, target, scheme, search)) for _ in range(REPEATS)]
        one, several = (median(pair[side][1] for pair in pairs) for side in (0, 1))
        ratio = median(b / a for (_, a), (_, b) in pairs)
        rows.append((scheme, pairs[0][1][0], one, several, ratio))
    table(("scheme", "candidates", "seconds of one", "seconds of all", "times"), rows)


if __name__ == "__main__":
    main()
