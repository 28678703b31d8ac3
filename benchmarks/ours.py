"""One experiment as a job of the workflow runs it, in a process of its own; prints what it cost as JSON."""

import sys
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from benchmarks.measured import Measured, since_start
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.study.settings import Machine, TrainingSettings
from freeze_or_tune.training import loop


def main(settings: Path, store: Path, split: Path, weights: Path, record: Path) -> None:
    """Run, and look at the clock when the first step is done."""
    first: list[float] = []
    real = loop.Optimiser.step

    def step(self: loop.Optimiser, iteration: int, gradients: Mapping[str, Tensor]) -> None:
        real(self, iteration, gradients)
        if not first:
            first.append(since_start())

    loop.Optimiser.step = step  # type: ignore[method-assign]
    record.unlink(missing_ok=True)
    run_experiment(
        TrainingSettings.model_validate_json(settings.read_text()), store, split, weights, record,
        Machine(device="cpu"), threads=2,
    )  # fmt: skip
    run = Experiment.read(record).runs[0]
    Measured.now(run.test_accuracy, first[0], run.performance.images_per_second).show()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
