"""The small CNN of Caffe's CIFAR-10 example (examples/cifar10/cifar10_quick_train_test.prototxt).

The paper names "a small CNN model used by Krizhevsky for CIFAR-10"; which of Caffe's two it does not say
(docs/deviations.md). Ceil-mode pooling takes 32 pixels to 16, 8 and 4.
"""

import torch
from torch import Tensor, nn

from freeze_or_tune.networks.layered import Layered

SIZE = 32
"""Pixels a side of the images it sees."""

_DEVIATIONS = {"conv1": 1e-4, "conv2": 0.01, "conv3": 0.01, "ip1": 0.1, "ip2": 0.1}


def _average_pool() -> nn.AvgPool2d:
    # Caffe divides by the window inside the padded image only: the same as not counting what ceil mode adds.
    return nn.AvgPool2d(3, stride=2, ceil_mode=True, count_include_pad=False)


def cifar_quick(classes: int, generator: torch.Generator) -> Layered:
    """The `quick` network for images [B, 3, 32, 32], 0-255 minus the mean, with Caffe's fillers."""
    network = Layered(
        [
            {"conv1": nn.Conv2d(3, 32, 5, padding=2), "pool1": nn.MaxPool2d(3, 2, ceil_mode=True), "relu1": nn.ReLU()},
            {"conv2": nn.Conv2d(32, 32, 5, padding=2), "relu2": nn.ReLU(), "pool2": _average_pool()},
            {"conv3": nn.Conv2d(32, 64, 5, padding=2), "relu3": nn.ReLU(), "pool3": _average_pool()},
            {"flatten": nn.Flatten(), "ip1": nn.Linear(64 * 4 * 4, 64)},
            {"ip2": nn.Linear(64, classes)},
        ]
    )
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            layer, kind = name.split(".")
            if kind == "bias":
                parameter.zero_()
            else:
                parameter.normal_(0, _DEVIATIONS[layer], generator=generator)
    return network


def shrink(images: Tensor) -> Tensor:
    """Images uint8 [B, S, S, 3] as float32 [B, 3, 32, 32], averaged over areas."""
    return nn.functional.interpolate(images.permute(0, 3, 1, 2).float(), size=(SIZE, SIZE), mode="area")
