"""What a training step asks of a GPU is bounded: how often the host waits for it, what it uploads, what it launches.

A step that reads one number back (`.item()`), or uploads without `non_blocking`, waits until the GPU has done all that
it was asked for before, and the GPU then has nothing to do until the next operation is launched.
"""

from pathlib import Path
from typing import Any

import pytest

from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.training.progress import Progress
from tests.gpu.runs import SEARCH
from tests.gpu.tensors import Counts, Gpu
from tests.stages.files import Files, settings

STEPS = 3  # the last of them drops the rate


@pytest.fixture
def steps(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> list[Counts]:
    """What was asked from the end of one step to that of the next."""
    ends: list[Counts] = []
    seen: list[Counts] = []
    real = Progress.step

    def step(self: Progress) -> None:
        real(self)
        seen.extend(gpu.counts - before for before in ends[-1:])
        ends.append(gpu.counts.copy())

    monkeypatch.setattr(Progress, "step", step)
    return seen


# What is asked today; less is welcome. Of waits there is none.
@pytest.mark.parametrize(
    ("scheme", "solver", "machine", "waits", "uploads", "operations"),
    [
        ("R1-8", {}, {}, 0, 4, 121),
        ("T1-5_R6-8", {}, {}, 0, 4, 123),
        ("T1-5_R6-8", {"method": "adamw"}, {}, 0, 4, 108),
        ("T1-5_R6-8", {"mirror": True}, {"memory_mb": 0}, 0, 4, 130),
        ("T1-7_R8", {"search": SEARCH}, {}, 0, 4, 575),
        ("F1-3_T4-7_R8", {}, {}, 0, 2, 53),
        ("F1-5_R6-8", {}, {}, 0, 2, 36),
        ("F1-5_R6-8", {"views": 0}, {}, 0, 4, 72),
        ("F1-5_R6-8", {}, {"memory_mb": 0}, 0, 4, 76),
        ("F1-7_R8", {}, {}, 0, 2, 13),
        ("F1-7_R8", {"search": SEARCH}, {}, 0, 2, 26),
    ],
)
def test_what_a_step_asks_of_a_gpu(
    files: Files, tmp_path: Path, steps: list[Counts], scheme: str, solver: dict[str, Any], machine: dict[str, Any],
    waits: int, uploads: int, operations: int,
) -> None:  # fmt: skip
    values = {"min_iterations": STEPS, "max_iterations": STEPS, "evaluations": 1, "views": 1, **solver}
    asked, options = settings("digits", scheme, **values), Machine(device="cuda", **machine)
    run_experiment(asked, *files.inputs("digits"), files.weights, tmp_path / "x.json", options, 1)
    assert len(steps) == STEPS - 1
    for step in steps:
        assert step.waits.total() <= waits, f"the host waits for the GPU: {step.waits}"
        assert step.uploads.total() <= uploads, f"copies to the GPU: {step.uploads}"
        assert step.operations.total() <= operations, f"operations: {step.operations}"
