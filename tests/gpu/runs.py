"""Small experiments, and when two of them have gone alike."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from freeze_or_tune.networks.build import build
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.study.settings import Machine, TrainingSettings
from freeze_or_tune.study.solver import FrozenGrid, Search, TunedGrid
from tests.stages.files import SIZES, Files, settings

STEPS = {"min_iterations": 6, "max_iterations": 6, "evaluations": 3}
SEARCH = Search(
    frozen=FrozenGrid(learning_rate=(0.003, 0.1), c=(0.01, 1)),
    tuned=TunedGrid(learning_rate=(0.003, 0.05), copied_rate=(0.2, 1)),
    halvings=(0.3, 0.6),
)


def chosen(scheme: str, dropout: float = 0.0, target: str = "digits", **solver: Any) -> TrainingSettings:
    """Without dropout nothing is drawn on the device, and a GPU's numbers are a CPU's."""
    made = settings(target, scheme, **{**STEPS, **solver})
    return made.model_copy(update={"network": SIZES.model_copy(update={"dropout": dropout})})


def run(files: Files, asked: TrainingSettings, path: Path, **machine: Any) -> tuple[Experiment, Tensor]:
    """The record, and what the kept model makes of some views."""
    model = path.with_suffix(".safetensors")
    run_experiment(asked, *files.inputs("digits"), files.weights, path, Machine(**machine), 1, model=model)
    network = build(SIZES, 2, 0).eval()
    load_pretrained(model).copy_to(network, range(1, 9))
    with torch.no_grad():
        return Experiment.read(path), network(torch.rand((20, 3, 43, 43), generator=torch.Generator().manual_seed(0)))


def assert_alike(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Numbers nearly equal, all else equal; nested."""
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        if isinstance(value, float):
            assert value == pytest.approx(theirs[name], rel=1e-4, abs=1e-5), name
        elif isinstance(value, dict):
            assert_alike(value, theirs[name])
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            assert len(value) == len(theirs[name])
            for mine, other in zip(value, theirs[name], strict=True):
                assert_alike(mine, other)
        else:
            assert value == theirs[name], name
