"""A run that is stopped goes on where it was, on the device that it finds: what comes out is what would have."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.study.settings import TrainingSettings
from freeze_or_tune.training import loop
from freeze_or_tune.training.checkpoint import Stopped
from tests.gpu.emulated import emulated_gpu
from tests.gpu.runs import SEARCH, assert_alike, chosen, run
from tests.stages.files import Files, without_costs


@contextmanager
def stopped_in(iteration: int) -> Iterator[None]:
    """This process is asked to stop while it takes a step."""
    real = loop.Optimiser.step

    def step(self: loop.Optimiser, at: int, gradients: dict[str, Tensor]) -> None:
        real(self, at, gradients)
        if at == iteration:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Optimiser, "step", step)
        with pytest.raises(Stopped, match=f"at iteration {iteration + 1};"):
            yield


def go(files: Files, asked: TrainingSettings, path: Path, device: str, stop: int | None = None) -> Any:
    """A process of its own on a device, with random numbers that another past has left."""
    with emulated_gpu() if device == "cuda" else nullcontext():
        torch.rand(3, device=device)
        with nullcontext() if stop is None else stopped_in(stop):
            return run(files, asked, path, device=device)


@pytest.mark.parametrize(
    ("scheme", "solver", "stop"),
    [
        ("T1-5_R6-8", {}, 2),
        ("T1-7_R8", {"search": SEARCH, "method": "adamw"}, 4),  # after a halving
        ("F1-7_R8", {}, 1),  # between batches that were computed together
        ("F1-7_R8", {"search": SEARCH}, 3),
    ],
)
def test_a_run_on_a_gpu_goes_on_there(
    files: Files, tmp_path: Path, scheme: str, solver: dict[str, Any], stop: int
) -> None:
    asked = chosen(scheme, dropout=0.3, **solver)
    whole, expected = go(files, asked, tmp_path / "whole.json", "cuda")
    go(files, asked, tmp_path / "x.json", "cuda", stop)
    again, logits = go(files, asked, tmp_path / "x.json", "cuda")
    assert without_costs(again) == without_costs(whole)
    assert torch.equal(logits, expected)


@pytest.mark.parametrize(("first", "then"), [("cpu", "cuda"), ("cuda", "cpu")])
@pytest.mark.parametrize(
    ("scheme", "solver", "stop"),
    [
        ("T1-5_R6-8", {}, 2),
        ("T1-7_R8", {"search": SEARCH, "method": "adamw"}, 4),
        ("F1-7_R8", {"search": SEARCH}, 2),
    ],
)
def test_a_run_goes_on_on_another_device(
    files: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture, scheme: str, solver: dict[str, Any], stop: int,
    first: str, then: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    asked = chosen(scheme, **solver)
    whole, expected = go(files, asked, tmp_path / "whole.json", "cpu")
    go(files, asked, tmp_path / "x.json", first, stop)
    again, logits = go(files, asked, tmp_path / "x.json", then)
    assert f"going on from iteration {stop + 1} " in caplog.text
    assert_alike(numbers(again), numbers(whole))
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)


def test_with_dropout_a_run_goes_on_on_another_device_at_least(
    files: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its numbers cannot be those of either: each device draws its own."""
    caplog.set_level(logging.INFO)
    asked = chosen("T1-7_R8", dropout=0.3)
    for first, then in (("cpu", "cuda"), ("cuda", "cpu")):
        go(files, asked, tmp_path / f"{first}.json", first, stop=2)
        record, _ = go(files, asked, tmp_path / f"{first}.json", then)
        assert caplog.text.count("going on from iteration 3 ") == 1
        assert [point.iteration for point in record.runs[0].curve] == [2, 4, 6]
        caplog.clear()


def numbers(record: Experiment) -> dict[str, Any]:
    """All but costs and versions, which name the device."""
    found = without_costs(record)
    del found["versions"]
    return found
