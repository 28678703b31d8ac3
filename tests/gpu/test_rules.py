"""What the emulated GPU refuses, and what it must not refuse: as torch's documentation has it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.gpu.tensors import Gpu


def ones(*shape: int) -> Tensor:
    return torch.ones(shape, device="cuda")


MIXED = "Expected all tensors to be on the same device"


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: ones(2) + torch.ones(2), MIXED),
        (lambda: torch.ones(2) * ones(2), MIXED),
        (lambda: torch.ones(()).add_(ones()), MIXED),
        (lambda: torch.cat([ones(2), torch.ones(2)]), MIXED),
        (lambda: torch.stack([ones(), torch.ones(())]), MIXED),
        (lambda: F.linear(ones(2, 2), torch.ones(2, 2)), MIXED),
        (lambda: F.conv2d(ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3)), MIXED),
        (lambda: F.cross_entropy(ones(2, 2), torch.zeros(2, dtype=torch.int64)), MIXED),
        (lambda: ones(2).index_select(0, torch.tensor([0])), MIXED),
        (lambda: torch.ones(2)[torch.zeros(1, dtype=torch.int64, device="cuda")], MIXED),
        (lambda: torch.where(torch.tensor([True]), ones(1), ones(1)), MIXED),
        (lambda: ones(2).uniform_(generator=torch.Generator()), "Expected a 'cuda' device type for generator"),
        (lambda: torch.cuda.set_rng_state(ones(16)), "RNG state must be a torch.ByteTensor"),
        (lambda: torch.set_rng_state(torch.cuda.get_rng_state().to("cuda")), "RNG state must be a torch.ByteTensor"),
    ],
)
def test_tensors_of_two_devices_are_refused(refused: Callable[[], Any], message: str, gpu: Gpu) -> None:
    with pytest.raises((RuntimeError, TypeError), match=message):
        refused()


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (lambda: ones(2) * torch.tensor(3.0), [3, 3]),
        (lambda: torch.tensor(3.0) - ones(2), [2, 2]),
        (lambda: torch.where(ones(2) > 0, torch.tensor(3.0), ones(2)), [3, 3]),
        (lambda: torch.arange(3, device="cuda")[torch.tensor([2, 0])], [2, 0]),
        (lambda: torch.arange(3, device="cuda")[[2, 0]], [2, 0]),
        (lambda: torch.arange(3, device="cuda")[torch.tensor([True, False, True])], [0, 2]),
        (lambda: torch.ones(2).copy_(3 * ones(2)), [3, 3]),
    ],
)
def test_numbers_and_indices_may_lie_on_the_host(
    allowed: Callable[[], Tensor], expected: list[float], gpu: Gpu
) -> None:
    assert allowed().tolist() == expected


def learnt(compute: Callable[[Tensor], Tensor], *shape: int) -> None:
    compute(ones(*shape).requires_grad_()).sum().backward()


@pytest.mark.parametrize(
    "computed",
    [
        lambda: learnt(lambda x: F.adaptive_avg_pool2d(x, 2), 1, 1, 3, 3),
        lambda: learnt(lambda x: F.adaptive_max_pool2d(x, 2), 1, 1, 3, 3),
        lambda: learnt(lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), 1, 1, 3, 3),
        lambda: torch.bincount(torch.tensor([0, 1], device="cuda"), weights=ones(2)),
        lambda: ones(3).cumsum(0),
        lambda: ones(3).histc(2),
        lambda: ones(3).median(0),
    ],
)
def test_what_no_gpu_computes_deterministically(computed: Callable[[], Any], gpu: Gpu) -> None:
    computed()
    torch.use_deterministic_algorithms(True)
    with pytest.raises(RuntimeError, match="does not have a deterministic implementation, but you set"):
        computed()


@pytest.mark.parametrize(
    "computed",
    [
        lambda: learnt(lambda x: F.adaptive_avg_pool2d(x, 1), 1, 1, 3, 3),  # a mean
        lambda: learnt(lambda x: F.max_pool2d(x, 2), 1, 1, 3, 3),
        lambda: learnt(lambda x: x[torch.zeros(4, dtype=torch.int64)], 3),
        lambda: torch.bincount(torch.tensor([0, 1], device="cuda")),
        lambda: torch.arange(3, device="cuda").cumsum(0),
        lambda: ones(3).median(),
    ],
)
def test_what_every_gpu_computes_deterministically(computed: Callable[[], Any], gpu: Gpu) -> None:
    torch.use_deterministic_algorithms(True)
    computed()


def test_products_are_deterministic_with_a_workspace_of_fixed_size(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.use_deterministic_algorithms(True)
    with pytest.raises(RuntimeError, match="CUBLAS_WORKSPACE_CONFIG"):
        ones(2, 2) @ ones(2, 2)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    assert (ones(2, 2) @ ones(2, 2)).sum() == 8
