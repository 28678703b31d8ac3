import math

import numpy as np
import pytest
import torch
from torch import nn

from freeze_or_tune.networks.caffenet import caffenet, initialise
from freeze_or_tune.study.backbones import CaffeNet

from .small import SMALL, drawn

CAFFENET = CaffeNet(channels=(96, 256, 384, 384, 256), features=4096, image_size=256, crop=227)
# models/bvlc_reference_caffenet/train_val.prototxt: std of the weights, value of the biases.
REFERENCE = {
    "conv1": (0.01, 0), "conv2": (0.01, 1), "conv3": (0.01, 0), "conv4": (0.01, 1),
    "conv5": (0.01, 1), "fc6": (0.005, 1), "fc7": (0.005, 1), "fc8": (0.01, 0),
}  # fmt: skip
# Inputs of one output, counted by hand for the small network (conv2, 4 and 5 see half of the channels).
FAN_IN = {
    "conv1": 3 * 121, "conv2": 16 * 25, "conv3": 64 * 9, "conv4": 48 * 9, "conv5": 48 * 9, "fc6": 64, "fc7": 256,
}  # fmt: skip


def on_meta(sizes: CaffeNet, classes: int) -> nn.Module:
    """Return a network of shapes without numbers."""
    with torch.device("meta"):
        return caffenet(sizes, classes)


def test_caffenet_has_its_number_of_parameters() -> None:
    assert sum(p.numel() for p in on_meta(CAFFENET, 1000).parameters()) == 60_965_224


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [(CAFFENET, [55, 27, 27, 13, 13, 13, 13, 6]), (SMALL, [13, 6, 6, 3, 3, 3, 3, 1])],
    ids=["full", "small"],
)
def test_blobs_have_caffes_sizes(sizes: CaffeNet, expected: list[int]) -> None:
    network, seen = on_meta(sizes, 10), {}
    for name, layer in network.named_children():
        layer.register_forward_hook(lambda _, __, output, name=name: seen.update({name: tuple(output.shape)}))
    network(torch.empty(2, 3, sizes.crop, sizes.crop, device="meta"))
    layers = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5"]
    c1, c2, c3, c4, c5 = sizes.channels
    widths = [c1, c1, c2, c2, c3, c4, c5, c5]
    assert [seen[name] for name in layers] == [(2, c, s, s) for c, s in zip(widths, expected, strict=True)]
    assert seen["fc6"] == seen["fc7"] == (2, sizes.features)


@pytest.mark.parametrize("crop", [39, 40, 51, 55, 60, 64, 99, 100, 112, 223, 224])
def test_any_crop_that_leaves_something_fits(crop: int) -> None:
    sizes = SMALL.model_copy(update={"crop": crop})
    assert on_meta(sizes, 5)(torch.empty(1, 3, crop, crop, device="meta")).shape == (1, 5)


@pytest.mark.parametrize("crop", [5, 11, 38])
def test_too_small_a_crop_is_refused(crop: int) -> None:
    with pytest.raises(ValueError, match=f"crop {crop} is too small"):
        caffenet(SMALL.model_copy(update={"crop": crop}), 5)


@pytest.mark.parametrize("filler", ["caffenet", "msra"])
def test_fillers(filler: str) -> None:
    parameters = dict(drawn(classes=100, filler=filler).named_parameters())
    he = {layer: (math.sqrt(2 / inputs), 0) for layer, inputs in FAN_IN.items()}
    for layer, (deviation, bias) in (REFERENCE | (he if filler == "msra" else {})).items():
        weights = parameters[f"{layer}.weight"].detach().double().numpy()
        count = weights.size
        assert abs(weights.std() / deviation - 1) < 5 / math.sqrt(2 * count), layer
        assert abs(weights.mean()) < 5 * deviation / math.sqrt(count), layer
        # Gaussian, not uniform: the fourth moment is 3 (1.8 if uniform).
        assert abs((weights**4).mean() / deviation**4 - 3) < 5 * math.sqrt(96 / count), layer
        assert (parameters[f"{layer}.bias"] == bias).all(), layer


def test_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = drawn(seed=3).state_dict()
    torch.manual_seed(2)
    again, other = drawn(seed=3).state_dict(), drawn(seed=4).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if name.endswith("weight"))


@pytest.mark.parametrize("first", [1, 4, 8, 9])
def test_blocks_that_will_be_copied_are_left_alone(first: int) -> None:
    network = caffenet(SMALL, 40)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(7)
    initialise(network, "msra", 0, first)
    for name, parameter in network.named_parameters():
        assert bool((parameter == 7).all()) == (network.block_of[name.split(".")[0]] < first), name


def caffe_max_pool(image: np.ndarray) -> np.ndarray:
    """Pool [H, W] by 3/2 as the loop of Caffe's pooling_layer.cpp does."""
    size = math.ceil((len(image) - 3) / 2) + 1
    return np.array([[image[2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max() for j in range(size)] for i in range(size)])


@pytest.mark.parametrize(("size", "pooled"), [(13, 6), (6, 3), (12, 6), (2, 1)])
def test_pooling_keeps_incomplete_windows(size: int, pooled: int) -> None:
    # Negative everywhere: padding with zeros would show.
    image = -np.random.default_rng(0).random((size, size))
    network = drawn()
    for layer in (network.pool1, network.pool2, network.pool5):
        out = layer(torch.from_numpy(image)[None, None])[0, 0].numpy()
        assert out.shape == (pooled, pooled)
        np.testing.assert_array_equal(out, caffe_max_pool(image))


@pytest.mark.parametrize(("layer", "groups"), [("conv1", 1), ("conv2", 2), ("conv3", 1), ("conv4", 2), ("conv5", 2)])
def test_groups_see_their_half_of_the_channels(layer: str, groups: int) -> None:
    conv = getattr(drawn(), layer)
    inputs = torch.zeros(1, conv.in_channels, 12, 12)
    inputs[:, conv.in_channels // 2 :] = 1  # only the second half of the channels has anything to say
    with torch.no_grad():
        said = (conv(inputs) - conv.bias[:, None, None]).abs().amax((0, 2, 3)) > 1e-6
    assert said[conv.out_channels // 2 :].all()
    assert said[: conv.out_channels // 2].all() == (groups == 1)
    assert said[: conv.out_channels // 2].any() == (groups == 1)


def test_dropout_follows_the_config() -> None:
    network = drawn(SMALL.model_copy(update={"dropout": 0.3}))
    for layer in (network.drop6, network.drop7):
        assert layer.p == 0.3
