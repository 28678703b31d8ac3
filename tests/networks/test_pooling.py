from pathlib import Path

import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from freeze_or_tune.networks.build import outline
from freeze_or_tune.networks.pooling import AveragePool, averaged

from .zoo import CLASSES, FAMILIES, small

SIZES = st.integers(1, 12)


@settings(deadline=None)
@given(places=SIZES, means=SIZES, double=st.booleans())
def test_the_product_is_torchs_pooling(places: int, means: int, double: bool) -> None:
    dtype, tolerance = (torch.float64, 1e-13) if double else (torch.float32, 1e-6)
    x, of_y = torch.randn(2, 3, places, places, dtype=dtype), torch.randn(2, 3, means, means, dtype=dtype)
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    pooled, reference = averaged(ours, means), F.adaptive_avg_pool2d(theirs, means)
    pooled.backward(of_y)
    reference.backward(of_y)
    torch.testing.assert_close(pooled, reference, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=tolerance, atol=10 * tolerance)


def test_no_precision_rounds_the_weights_of_a_mean() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        pooled = averaged(torch.full((1, 2, 13, 13), 1.5, dtype=torch.bfloat16), 6)
    assert (pooled == 1.5).all()  # a ninth is no number of bfloat16, nor of TF32


def test_a_cpu_has_torchs_own_bits() -> None:
    x = torch.randn(2, 3, 9, 9)
    assert torch.equal(AveragePool(6)(x), F.adaptive_avg_pool2d(x, 6))


@pytest.mark.parametrize(("size", "at_least"), [(5, False), (5, True), (4, True)])
def test_what_has_its_size_is_left_alone(size: int, at_least: bool) -> None:
    x = torch.randn(2, 3, 5, 5)
    assert AveragePool(size, at_least)(x) is x


@pytest.mark.parametrize("places", [2, 9])
def test_onnx_has_sizes_that_do_not_divide_each_other(places: int, tmp_path: Path) -> None:
    x, layer = torch.randn(3, 2, places, places), nn.Sequential(nn.ReLU(), AveragePool(6))
    for file in (tmp_path / "first.onnx", tmp_path / "again.onnx"):
        torch.onnx.export(layer, (x,), str(file), input_names=["x"], dynamo=False)
        (found,) = onnxruntime.InferenceSession(file).run(None, {"x": x.numpy()})
        torch.testing.assert_close(torch.from_numpy(found), layer(x))


class Names(TorchDispatchMode):
    """Notes which operations run."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        self.seen.add(operation.overloadpacket.__name__)
        return operation(*arguments, **(options or {}))


# Maps of 1 to 13 places above AlexNet's convolutions, of 1 to 8 above VGG's.
CROPS = {"alexnet": range(63, 480, 32), "vgg11_bn": range(32, 288, 32)}


@pytest.mark.parametrize("family", FAMILIES, ids=[family[0] for family in FAMILIES])
def test_no_family_pools_on_a_gpu_as_it_could_not_be_repeated(family: tuple[str, int, int]) -> None:
    name, usual, _ = family
    for crop in CROPS.get(name, [usual]):
        layered = outline(small(name, crop), CLASSES)
        with Names() as names:
            F.cross_entropy(
                layered(torch.empty(2, 3, crop, crop, device="meta")), torch.zeros(2, dtype=torch.int64, device="meta")
            ).backward()
        assert names.seen & {"convolution_backward", "native_layer_norm_backward"}
        assert not [operation for operation in names.seen if "adaptive" in operation or "upsample" in operation], crop
