from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from torch import nn

from freeze_or_tune.networks.layers import Dropout, Linear, ResponseNorm

from .small import crops


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


def test_response_norm_keeps_the_memory_format() -> None:
    plain = 50 * crops(2, 6)
    last = plain.to(memory_format=torch.channels_last)
    assert ResponseNorm()(last).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(ResponseNorm()(last), ResponseNorm()(plain), rtol=1e-6, atol=0)


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
