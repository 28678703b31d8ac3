"""Devices that compute what they should, and some that do not."""

from itertools import count
from pathlib import Path

import pytest
import torch
from torch import Tensor

from freeze_or_tune.networks.layers import ResponseNorm
from freeze_or_tune.records.checkup import Finding
from freeze_or_tune.stages.checkup import numbers
from freeze_or_tune.stages.checkup.numbers import TOLERANCE, agreement, repetition
from freeze_or_tune.stages.checkup.trials import Trial
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.training.learners import Replicas
from freeze_or_tune.training.loop import Training

CPU = torch.device("cpu")
TRIAL = Trial(
    "narrow",
    CaffeNet(channels=(8, 8, 8, 8, 8), features=16, image_size=64, crop=60, scale=1 / 64, filler="msra", dropout=0.1),
)


def remedies(findings: list[Finding]) -> list[str]:
    return [finding.remedy for finding in findings if finding.remedy]


def test_this_cpu_agrees_in_every_kind_of_scheme() -> None:
    found = list(agreement(TRIAL, CPU))
    assert [finding.name for finding in found] == [
        "narrow, T1-7_R8", "narrow, F1-7_R8", "narrow, F1-5_T6-7_R8", "narrow, F1-5_R6-8"
    ]  # fmt: skip
    assert remedies(found) == []


def wrong_norm(monkeypatch: pytest.MonkeyPatch, error: float, times: int = 1000) -> None:
    """Make a layer's outputs wrong in single precision, the first so many times."""
    real, calls = ResponseNorm.forward, iter(range(1000))

    def forward(self: ResponseNorm, x: Tensor) -> Tensor:
        # Not only larger as a whole: a factor of all inputs hardly changes what follows.
        wrong = x.dtype == torch.float32 and next(calls) < times
        return real(self, x * (1 + error * torch.linspace(0, 1, x.shape[-1], dtype=x.dtype)) if wrong else x)

    monkeypatch.setattr(ResponseNorm, "forward", forward)


def test_a_wrong_kernel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_norm(monkeypatch, 10 * TOLERANCE)
    found = list(agreement(TRIAL, CPU))
    assert len(remedies(found)) == 4
    assert "a training step of T1-7_R8 is" in found[0].remedy
    assert "do not train here" in found[0].remedy


def test_no_number_is_never_close(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_norm(monkeypatch, float("nan"))
    assert "is inf away" in next(agreement(TRIAL, CPU)).remedy


def test_one_batch_in_which_two_numbers_are_level_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_norm(monkeypatch, 10 * TOLERANCE, times=2)  # both norms of the first batch
    assert remedies([next(agreement(TRIAL, CPU))]) == []


def test_the_same_again_and_after_a_stop(tmp_path: Path) -> None:
    found = list(repetition(TRIAL, Solver(), CPU, tmp_path))
    assert [finding.name for finding in found] == [
        f"narrow, {scheme}, {what}" for scheme in ("T1-7_R8", "F1-7_R8") for what in ("again", "stopped, resumed")
    ]
    assert {finding.value for finding in found} == {"the same bits"}
    assert remedies(found) == []
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_never_computes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = Replicas.gradients, count(1)

    def gradients(self: Replicas, candidate: int) -> dict[str, Tensor]:
        return {name: value * (1 + 1e-6 * next(calls)) for name, value in real(self, candidate).items()}

    monkeypatch.setattr(Replicas, "gradients", gradients)
    found = list(repetition(TRIAL, Solver(), CPU, tmp_path))
    assert [finding.value for finding in found] == ["other bits"] * 4
    assert "T1-7_R8, again, ends with other numbers" in found[0].remedy


def test_a_checkpoint_that_does_not_hold_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = numbers._StopsHalfway.save

    def without_momentum(self: numbers._StopsHalfway, state: dict[str, object]) -> None:
        for lane in state["lanes"]:  # type: ignore[attr-defined]
            lane["optimiser"] = {name: torch.zeros_like(value) for name, value in lane["optimiser"].items()}
        real(self, state)

    monkeypatch.setattr(numbers._StopsHalfway, "save", without_momentum)
    again, resumed, *_ = repetition(TRIAL, Solver(), CPU, tmp_path)
    assert again.remedy == ""
    assert "stopped, resumed, ends with other numbers" in resumed.remedy


def test_what_a_stop_is_measured_by() -> None:
    one = Training((), 4, seconds=1.0)
    assert one == Training((), 4, seconds=2.0)  # the clock is no part of the numbers
