"""CaffeNet (bvlc_reference_caffenet) and its smaller sisters: one definition, by its sizes.

Source: models/bvlc_reference_caffenet/train_val.prototxt of BVLC/caffe. With CaffeNet's sizes (channels 96, 256,
384, 384, 256; 4096 features; crop 227) and 1,000 classes it has 60,965,224 parameters.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from freeze_or_tune.backbones import CaffeNet
from freeze_or_tune.networks.layered import Layered

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


class ResponseNorm(nn.Module):
    """Caffe's LRN across channels, x / (1 + alpha/5 * sum of 5 squares)^0.75, faster on a CPU than torch's."""

    alpha = 1e-4
    size = 5

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a batch [B, C, H, W]."""
        channels = x.shape[1]
        squares = F.pad(x * x, (0, 0, 0, 0, self.size // 2, self.size // 2))
        window = squares[:, :channels]
        for offset in range(1, self.size):
            window = window + squares[:, offset : offset + channels]
        root = torch.rsqrt(1 + self.alpha / self.size * window)
        return x * root * torch.sqrt(root)


class _Conv2d(nn.Conv2d):
    def reset_parameters(self) -> None:
        """Leave it to `initialise`: torch's own values of layers so large take half a second a network."""


class _Product(torch.autograd.Function):
    """x W^T + b by oneDNN, which computes torch's convolutions on a CPU; its gradients by torch's library for products.

    oneDNN's own gradient of W comes in a layout of its own, and copying it costs more than is won.
    """

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """[B, inputs] to [B, outputs]."""
        context.save_for_backward(x, weight)
        return F.linear(x.to_mkldnn(), weight, bias).to_dense()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        """Of the three arguments."""
        (gradient,) = gradients
        x, weight = context.saved_tensors
        of_x = gradient @ weight if context.needs_input_grad[0] else None
        return of_x, gradient.t() @ x, gradient.sum(0)


class _Linear(nn.Linear):
    """The same layer, with many weights more than twice as fast forwards on an AMD CPU, where torch's is slow."""

    many = 2**20

    def reset_parameters(self) -> None:
        """As above."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs] to [B, outputs]."""
        if self.weight.numel() < self.many or not _plain(x):
            return super().forward(x)
        product: Tensor = _Product.apply(x, self.weight, self.bias)
        return product


def _plain(x: Tensor) -> bool:
    """Whether oneDNN's tensors can be made of x here: they know neither autocast nor exports."""
    exported = torch.jit.is_tracing() or torch.compiler.is_compiling()  # type: ignore[attr-defined]
    plain = x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return plain and not exported and torch.backends.mkldnn.is_available()


def _conv(inputs: int, outputs: int, kernel: int, groups: int = 1) -> nn.Conv2d:
    return _Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups)


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
            {"conv1": _Conv2d(3, c1, 11, 4), "pool1": _pool(), "relu1": relu(), "norm1": ResponseNorm()},
            {"conv2": _conv(c1, c2, 5, groups=2), "pool2": _pool(), "relu2": relu(), "norm2": ResponseNorm()},
            {"conv3": _conv(c2, c3, 3), "relu3": relu()},
            {"conv4": _conv(c3, c4, 3, groups=2), "relu4": relu()},
            {"conv5": _conv(c4, c5, 3, groups=2), "pool5": _pool(), "relu5": relu(), "flatten": nn.Flatten()},
            {"fc6": _Linear(c5 * pooled**2, features), "relu6": relu(), "drop6": nn.Dropout(sizes.dropout)},
            {"fc7": _Linear(features, features), "relu7": relu(), "drop7": nn.Dropout(sizes.dropout)},
            {"fc8": _Linear(features, classes)},
        ]
    )  # fmt: skip


def initialise(network: Layered, filler: str, generator: torch.Generator) -> None:
    """Fill all blocks with Gaussian weights and constant biases.

    `caffenet`: the reference model's own deviations. `msra`: sqrt(2 / fan-in) and no bias (He et al. 2015), for
    networks so narrow that CaffeNet's deviations would let the signal die out; the classifier keeps CaffeNet's.
    """
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            layer, kind = name.split(".")
            deviation, bias = _FILLERS[layer]
            if filler == "msra" and layer != "fc8":
                deviation, bias = math.sqrt(2 / parameter[0].numel()), 0.0
            if kind == "bias":
                parameter.fill_(bias)
            else:
                parameter.normal_(0, deviation, generator=generator)
