import math

import numpy as np
import pytest
import torch
from scipy.signal import correlate

from freeze_or_tune.networks.cifar import cifar_quick, shrink

# examples/cifar10/cifar10_quick_train_test.prototxt
DEVIATIONS = {"conv1": 1e-4, "conv2": 0.01, "conv3": 0.01, "ip1": 0.1, "ip2": 0.1}
SHAPES = {"conv1": (32, 3, 5, 5), "conv2": (32, 32, 5, 5), "conv3": (64, 32, 5, 5), "ip1": (64, 1024), "ip2": (2, 64)}


def network(seed: int = 0) -> torch.nn.Sequential:
    return cifar_quick(2, torch.Generator().manual_seed(seed))


def caffe_pool(blob: np.ndarray, kind: str) -> np.ndarray:
    """Pool [C, H, W] by 3/2 without padding: pooling_layer.cpp of BVLC/caffe, its loops and its names."""
    channels, height, width = blob.shape
    top = np.zeros((channels, math.ceil((height - 3) / 2) + 1, math.ceil((width - 3) / 2) + 1))
    for _, ph, pw in np.ndindex(top[:1].shape):
        hstart, wstart = ph * 2, pw * 2
        hend, wend = min(hstart + 3, height), min(wstart + 3, width)
        pool_size = (hend - hstart) * (wend - wstart)
        window = blob[:, hstart:hend, wstart:wend]
        top[:, ph, pw] = window.max((1, 2)) if kind == "MAX" else window.sum((1, 2)) / pool_size
    return top


def caffe_forward(image: np.ndarray, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Blobs of the quick network for one image [3, 32, 32], in float64."""
    blobs = {}

    def conv(name: str, blob: np.ndarray) -> np.ndarray:
        padded = np.pad(blob, ((0, 0), (2, 2), (2, 2)))
        maps = [correlate(padded, kernel, "valid")[0] for kernel in weights[f"{name}.weight"]]
        return np.array(maps) + weights[f"{name}.bias"][:, None, None]

    blobs["pool1"] = caffe_pool(conv("conv1", image), "MAX")
    blobs["pool2"] = caffe_pool(np.maximum(conv("conv2", np.maximum(blobs["pool1"], 0)), 0), "AVE")
    blobs["pool3"] = caffe_pool(np.maximum(conv("conv3", blobs["pool2"]), 0), "AVE")
    blobs["ip1"] = weights["ip1.weight"] @ blobs["pool3"].ravel() + weights["ip1.bias"]
    blobs["ip2"] = weights["ip2.weight"] @ blobs["ip1"] + weights["ip2.bias"]
    return blobs


def test_it_computes_what_caffe_computes() -> None:
    ours, seen = network().double(), {}
    with torch.no_grad():
        ours.conv1.weight.mul_(100)  # so that no blob is almost constant
        for name, parameter in ours.named_parameters():
            if name.endswith("bias"):
                parameter.uniform_(-0.1, 0.1)
    for name, layer in ours.named_children():
        layer.register_forward_hook(lambda _, __, output, name=name: seen.update({name: output[0].detach().numpy()}))
    image = np.random.default_rng(0).normal(0, 60, (3, 32, 32))
    ours(torch.from_numpy(image)[None])
    reference = caffe_forward(image, {name: p.detach().numpy() for name, p in ours.named_parameters()})
    assert [reference[name].shape[-1] for name in ("pool1", "pool2", "pool3")] == [16, 8, 4]
    for name, blob in reference.items():
        np.testing.assert_allclose(seen[name], blob, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("size", [32, 16, 8, 7, 4])
def test_average_pooling_divides_by_the_window_inside_the_image(size: int) -> None:
    blob = np.random.default_rng(size).normal(size=(2, size, size))
    for layer in (network().pool2, network().pool3):
        np.testing.assert_allclose(layer(torch.from_numpy(blob)[None])[0], caffe_pool(blob, "AVE"), rtol=1e-12)


def test_fillers() -> None:
    parameters = dict(network().named_parameters())
    assert len(parameters) == 2 * len(DEVIATIONS)
    for layer, deviation in DEVIATIONS.items():
        weights = parameters[f"{layer}.weight"].detach().double().numpy()
        assert weights.shape == SHAPES[layer]
        assert abs(weights.std() / deviation - 1) < 5 / math.sqrt(2 * weights.size), layer
        assert abs(weights.mean()) < 5 * deviation / math.sqrt(weights.size), layer
        assert (parameters[f"{layer}.bias"] == 0).all(), layer


def test_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = network(3).state_dict()
    torch.manual_seed(2)
    again = network(3).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["ip1.weight"], network(4).ip1.weight)


@pytest.mark.parametrize("size", [32, 48, 64, 100])
def test_shrinking_averages_areas(size: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    ours = shrink(torch.from_numpy(images))
    assert ours.shape == (2, 3, 32, 32)
    assert ours.dtype == torch.float32
    edges = [(i * size // 32, -(-(i + 1) * size // 32)) for i in range(32)]
    for row, column in [(0, 0), (3, 17), (31, 31), (20, 5)]:
        (top, bottom), (left, right) = edges[row], edges[column]
        expected = images[:, top:bottom, left:right].mean((1, 2), dtype=np.float64)
        np.testing.assert_allclose(ours[:, :, row, column], expected, rtol=1e-6)
