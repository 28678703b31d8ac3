"""CaffeNet (bvlc_reference_caffenet) and its smaller sisters: one definition, by its sizes.

Source: models/bvlc_reference_caffenet/train_val.prototxt of BVLC/caffe. With CaffeNet's sizes (channels 96, 256,
384, 384, 256; 4096 features; crop 227) and 1,000 classes it has 60,965,224 parameters.
"""

import math

import torch
from torch import nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.layers import Conv2d, Dropout, Linear, ResponseNorm
from freeze_or_tune.study.backbones import CaffeNet

# CaffeNet's standard deviation of the weights and value of the biases.
_FILLERS = {
    "conv1": (0.01, 0.0),
    "conv2": (0.01, 1.0),
    "conv3": (0.01, 0.0),
    "conv4": (0.01, 1.0),
    "conv5": (0.01, 1.0),
    "fc6": (0.005, 1.0),
    "fc7": (0.005, 1.0),
    "fc8": (0.01, 0.0),
}


def _conv(inputs: int, outputs: int, kernel: int, groups: int = 1) -> nn.Conv2d:
    return Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def _pooled_size(crop: int) -> int:
    """Pixels a side after pool5."""
    size = (crop - 11) // 4 + 1
    for _ in range(3):
        size = math.ceil((size - 3) / 2) + 1
    return size


def caffenet(sizes: CaffeNet, classes: int) -> Layered:
    """Eight blocks for images [B, 3, crop, crop] in BGR, 0-255 minus the mean; uninitialised, see `initialise`."""
    c1, c2, c3, c4, c5 = sizes.channels
    features = sizes.features
    pooled = _pooled_size(sizes.crop)
    if pooled < 1:
        raise ValueError(f"crop {sizes.crop} is too small for CaffeNet: nothing is left after pool5")

    def relu() -> nn.ReLU:
        return nn.ReLU(inplace=True)

    return Layered(
        [
            # Maximum and ReLU can be exchanged: Caffe has the ReLU first, which then works on four times as much.
            {"conv1": Conv2d(3, c1, 11, 4), "pool1": _pool(), "relu1": relu(), "norm1": ResponseNorm()},
            {"conv2": _conv(c1, c2, 5, groups=2), "pool2": _pool(), "relu2": relu(), "norm2": ResponseNorm()},
            {"conv3": _conv(c2, c3, 3), "relu3": relu()},
            {"conv4": _conv(c3, c4, 3, groups=2), "relu4": relu()},
            {"conv5": _conv(c4, c5, 3, groups=2), "pool5": _pool(), "relu5": relu(), "flatten": nn.Flatten()},
            {"fc6": Linear(c5 * pooled**2, features), "relu6": relu(), "drop6": Dropout(sizes.dropout)},
            {"fc7": Linear(features, features), "relu7": relu(), "drop7": Dropout(sizes.dropout)},
            {"fc8": Linear(features, classes)},
        ]
    )  # fmt: skip


def initialise(network: Layered, filler: str, seed: int, first: int = 1) -> None:
    """Fill block `first` and those that follow with Gaussian weights and constant biases.

    `caffenet`: the reference model's own deviations. `msra`: sqrt(2 / fan-in) and no bias (He et al. 2015), for
    networks so narrow that CaffeNet's deviations would let the signal die out; the classifier keeps CaffeNet's.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.parameters_of(range(first, network.blocks + 1)):
            layer, kind = name.split(".")
            deviation, bias = _FILLERS[layer]
            if filler == "msra" and layer != "fc8":
                deviation, bias = math.sqrt(2 / parameter[0].numel()), 0.0
            if kind == "bias":
                parameter.fill_(bias)
            else:
                parameter.normal_(0, deviation, generator=generator)
