from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import binomtest
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from freeze_or_tune.networks.layers import Dropout, Linear, ResponseNorm, _pooled, _shifted


@pytest.mark.parametrize("channels", [1, 2, 4, 7, 32])
def test_response_norm_is_torchs(channels: int) -> None:
    # Inputs of about 100, so that the squares matter beside k = 1.
    ours = (100 * torch.randn(2, channels, 5, 4, dtype=torch.float64)).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    out, reference = ResponseNorm()(ours), nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)(theirs)
    weights = torch.randn_like(out)
    (out * weights).sum().backward()
    (reference * weights).sum().backward()
    torch.testing.assert_close(out, reference, rtol=1e-12, atol=0)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-10, atol=1e-12)
    assert out.detach().abs().max() < 0.95 * ours.detach().abs().max()


def by_autograd(x: torch.Tensor) -> torch.Tensor:
    """LRN one operation after the other: what is computed by fewer must be the same to the last bit."""
    channels = x.shape[1]
    squares = F.pad(x * x, (0, 0, 0, 0, 2, 2))
    window = squares[:, :channels]
    for offset in range(1, 5):
        window = window + squares[:, offset : offset + channels]
    root = torch.rsqrt(1 + 1e-4 / 5 * window)
    return x * root * torch.sqrt(root)


def norm_and_gradient(
    norm: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, of_y: torch.Tensor
) -> list[torch.Tensor]:
    x = x.clone().requires_grad_()
    y = norm(x)
    y.backward(of_y.to(y.dtype))
    return [y.detach(), x.grad]


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_response_norm_has_the_bits_of_autograd(dtype: torch.dtype, layout: torch.memory_format) -> None:
    for channels, size in ((1, 3), (2, 5), (3, 1), (96, 4)):
        x = (80 * torch.randn(3, channels, size, size)).to(dtype=dtype, memory_format=layout)
        of_y = torch.randn_like(x)
        ours, theirs = (norm_and_gradient(norm, x, of_y) for norm in (ResponseNorm(), by_autograd))
        for one, other in zip(ours, theirs, strict=True):
            assert torch.equal(one, other)
            assert one.dtype == dtype
            assert channels == 1 or one.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("scale", [1e-20, 1e-30, 1e-36])
def test_gradients_of_a_dying_network_keep_their_bits(scale: float) -> None:
    torch.set_flush_denormal(True)
    x, of_y = 80 * torch.randn(4, 32, 3, 3), scale * torch.randn(4, 32, 3, 3)
    try:
        ours, theirs = (norm_and_gradient(norm, x, of_y) for norm in (ResponseNorm(), by_autograd))
    finally:
        torch.set_flush_denormal(False)
    assert ours[1].abs().max() > 0
    assert torch.equal(ours[1], theirs[1])


def test_response_norm_in_bfloat16_has_the_bits_of_autograd() -> None:
    x, of_y = 80 * torch.randn(2, 7, 3, 3), torch.randn(2, 7, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        for one in (x, x.bfloat16()):
            ours, theirs = (norm_and_gradient(norm, one, of_y) for norm in (ResponseNorm(), by_autograd))
            assert all(map(torch.equal, ours, theirs))


def test_the_derivative_of_response_norm_is_its_own() -> None:
    x = torch.randn(2, 6, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: ResponseNorm()(100 * x), x)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("channels", [1, 2, 4, 7, 32])
def test_a_gpu_adds_up_neighbours_in_the_same_order(channels: int, layout: torch.memory_format) -> None:
    x = torch.randn(3, channels, 5, 4).to(memory_format=layout)
    assert torch.equal(_pooled(x), _shifted(x))
    assert channels == 1 or _pooled(x).stride() == _shifted(x).stride()


class Operations(TorchDispatchMode):
    """Counts what a GPU has to start: all operations but views, and what only allocates."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        self.count += not operation.is_view and "empty" not in str(operation)
        return operation(*arguments, **(options or {}))


def operations(norm: Callable[[torch.Tensor], torch.Tensor], device: str) -> tuple[int, int]:
    """Forwards and backwards."""
    x, of_y = torch.randn(2, 8, 4, 4, device=device, requires_grad=True), torch.randn(2, 8, 4, 4, device=device)
    with Operations() as forwards:
        y = norm(x)
    with Operations() as backwards:
        torch.autograd.grad(y, x, of_y)
    return forwards.count, backwards.count


@pytest.mark.parametrize(("device", "most"), [("meta", (8, 13)), ("cpu", (12, 17))])  # meta goes the way of GPUs
def test_response_norm_takes_few_operations(device: str, most: tuple[int, int]) -> None:
    ours, theirs = (operations(norm, device) for norm in (ResponseNorm(), by_autograd))
    assert ours[0] <= most[0]
    assert ours[1] <= most[1]
    assert theirs == (12, 25), "something else is counted"


@pytest.mark.slow
def test_response_norm_can_be_compiled_and_traced() -> None:
    x, of_y = 80 * torch.randn(2, 7, 3, 3), torch.randn(2, 7, 3, 3)
    compiled = torch.compile(ResponseNorm(), backend="aot_eager", fullgraph=True)
    traced = torch.jit.trace(ResponseNorm(), torch.ones(1, 7, 3, 3))
    assert "PythonOp" not in str(traced.inlined_graph)
    for norm in (compiled, traced):
        ours, theirs = (norm_and_gradient(one, x, of_y) for one in (norm, by_autograd))
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("needs_x", [False, True])
def test_large_linear_layers_are_torchs(needs_x: bool) -> None:
    torch.manual_seed(0)
    layer = Linear(4096, 4096)
    reference = nn.Linear(4096, 4096)
    layer.load_state_dict(reference.state_dict())
    x, gradient = torch.randn(7, 4096), torch.randn(7, 4096)
    found = []
    for either in (layer, reference):
        inputs = x.clone().requires_grad_(needs_x)
        outputs = either(inputs)
        outputs.backward(gradient)
        found.append([outputs.detach(), either.weight.grad, either.bias.grad, *([inputs.grad] if needs_x else [])])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    assert "mkldnn_linear" in _operators(lambda: layer(x))


@pytest.mark.slow
def test_large_linear_layers_can_be_computed_in_bfloat16_exported_and_compiled() -> None:
    layer = Linear(4096, 4096)
    nn.init.normal_(layer.weight)
    nn.init.zeros_(layer.bias)
    x = torch.randn(2, 4096)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    assert "mkldnn" not in str(torch.jit.trace(layer, x).inlined_graph)
    torch.testing.assert_close(torch.compile(layer, backend="eager", fullgraph=True)(x), layer(x), rtol=1e-4, atol=1e-3)


def _operators(call: Callable[[], object]) -> set[str]:
    """Names of torch's operators that a call runs."""
    with torch.profiler.profile() as profile:
        call()
    return {event.key.removeprefix("aten::") for event in profile.key_averages()}


@pytest.mark.parametrize("p", [0.2, 0.3, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(p: float) -> None:
    torch.manual_seed(0)
    kept = Dropout(p)(torch.ones(250, 4001))
    assert kept.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=1e-4)
    assert binomtest(int((kept == 0).sum()), kept.numel(), p).pvalue > 1e-3
    # Neighbours, which come from one number, and rows are dropped independently of one another.
    dropped = (kept == 0).numpy()
    for apart in (1, 2, 3, 4, 4001):
        both = dropped.ravel()[:-apart] & dropped.ravel()[apart:]
        assert binomtest(int(both.sum()), both.size, p * p).pvalue > 1e-3


def test_dropout_passes_the_gradients_of_what_it_keeps() -> None:
    x = torch.randn(30, 7, requires_grad=True)
    outputs, gradient = Dropout(0.5)(x), torch.randn(30, 7)
    outputs.backward(gradient)
    kept = outputs != 0
    assert torch.equal(outputs, torch.where(kept, 2 * x, 0))
    assert torch.equal(x.grad, torch.where(kept, 2 * gradient, 0))


@pytest.mark.parametrize(("p", "share"), [(0.0, 0), (1 - 1e-9, 1), (1.0, 1)])
def test_dropout_at_its_limits(p: float, share: float) -> None:
    outputs = Dropout(p)(torch.ones(9, 11))
    assert torch.isfinite(outputs).all()
    assert (outputs == 0).double().mean() == pytest.approx(share, abs=0.05)
    assert p > 0 or torch.equal(outputs, torch.ones(9, 11))


def test_dropout_follows_the_seed_and_rests_while_testing() -> None:
    layer, x = Dropout(0.5), torch.randn(3, 5, 2)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(layer(x))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.slow
def test_dropout_keeps_bfloat16_and_can_be_exported_and_compiled() -> None:
    layer, x = Dropout(0.5), torch.ones(64, 64)
    assert layer(x.bfloat16()).dtype == torch.bfloat16
    assert "aten::dropout" in str(torch.jit.trace(layer, x, check_trace=False).inlined_graph)
    compiled = torch.compile(layer, backend="eager", fullgraph=True)(x)
    assert np.isclose(float((compiled == 0).double().mean()), 0.5, atol=0.05)
