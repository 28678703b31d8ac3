"""With torch's private kernels and without them a run is the same."""

from typing import Any

import pytest
import torch
from torch import nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.solver import Solver
from tests.gpu.tensors import Gpu

from ..gpu.conftest import gpu  # noqa: F401 - a fixture
from .small import Optimised

ITERATIONS = 12
KERNELS = ("_fused_sgd_", "_fused_adamw_", "_foreach_mul_")
SOLVERS = {
    "Caffe's rule": {"weight_decay": 0.03, "drops": (0.25, 0.5, 0.75), "gamma": 0.3},
    "without decay": {"weight_decay": 0},
    "without momentum": {"weight_decay": 0.03, "momentum": 0},
    "clipped": {"weight_decay": 0.03, "clip": 0.5},
    "AdamW": {"method": "adamw", "weight_decay": 0.3},
    "AdamW without decay": {"method": "adamw", "weight_decay": 0},
    "AdamW, warmed up and clipped": {
        "method": "adamw", "weight_decay": 0.3, "schedule": "cosine", "warm_up": 0.25, "clip": 1.0,
    },
}  # fmt: skip


def trained(width: int, device: str = "cpu", **solver: Any) -> dict[str, torch.Tensor]:
    """Parameters after some steps, and what the optimiser remembers; tensors have `width` numbers or its square."""
    torch.manual_seed(0)
    network = Layered([{f"fc{i}": nn.Linear(width, width)} for i in range(1, 9)]).to(device)
    optimised = Optimised(network, "T1-5_R6-8", Solver(learning_rate=0.05, **solver), ITERATIONS)
    for iteration in range(ITERATIONS):
        for parameter in network.parameters():
            parameter.grad = torch.randn(parameter.shape).to(device)
        optimised.step(iteration)
    found = {name: parameter.detach() for name, parameter in network.named_parameters()}
    return {name: value.cpu() for name, value in {**found, **optimised.optimiser.state}.items()}


def hide(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KERNELS:
        monkeypatch.delattr(torch, name)


@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
def test_whole_vectors_are_the_same_bit_for_bit(solver: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = trained(16, **solver)
    hide(monkeypatch)
    # Elsewhere than on x86 a compiler may round a product and a sum at once in whole vectors, too.
    exact = torch.backends.cpu.get_cpu_capability().startswith("AVX")
    for name, value in trained(16, **solver).items():
        torch.testing.assert_close(
            value, expected[name], rtol=0 if exact else 1e-5, atol=0 if exact else 1e-6, msg=name
        )


@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
def test_what_is_left_of_them_is_the_same_but_for_its_last_bits(
    solver: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trained(3, **solver)
    hide(monkeypatch)
    for name, value in trained(3, **solver).items():
        torch.testing.assert_close(value, expected[name], rtol=2e-6, atol=2e-7, msg=name)


@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
def test_on_a_gpu(solver: dict[str, Any], monkeypatch: pytest.MonkeyPatch, gpu: Gpu) -> None:  # noqa: F811
    with_kernels = trained(16, "cuda", **solver)
    before = gpu.counts.copy()
    hide(monkeypatch)
    without = trained(16, "cuda", **solver)
    for name, value in without.items():
        torch.testing.assert_close(value, with_kernels[name], rtol=1e-6, atol=1e-7, msg=name)
    operations = (gpu.counts - before).operations
    assert not [name for name in operations if "fused" in name]
    assert operations["addcdiv_" if solver.get("method") == "adamw" else "add_"] >= 16 * ITERATIONS
