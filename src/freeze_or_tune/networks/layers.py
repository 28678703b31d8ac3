"""Layers of CaffeNet that are faster on a CPU than torch's own, whose parameters and meaning they have."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


class Conv2d(nn.Conv2d):
    """The same layer without values."""

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


class Linear(nn.Linear):
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


class Dropout(nn.Dropout):
    """The same layer, five times faster on a CPU: torch draws a number of 64 bits for each element, here for four.

    p is rounded to a multiple of 2^-16.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, to the same."""
        if not self.training or x.device.type != "cpu" or _exported():
            return super().forward(x)
        parts = min(round(self.p * 2**16), 2**16 - 1)
        numbers = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        kept = numbers.view(torch.int16)[: x.numel()].view(x.shape) >= parts - 2**15
        return x * kept.to(x.dtype).mul_(2**16 / (2**16 - parts))


def _plain(x: Tensor) -> bool:
    """Whether oneDNN's tensors can be made of x here: they know neither autocast nor exports."""
    plain = x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return plain and not _exported() and torch.backends.mkldnn.is_available()


def _exported() -> bool:
    """Whether a layer is only looked at, to be exported or compiled."""
    return torch.jit.is_tracing() or torch.compiler.is_compiling()  # type: ignore[attr-defined]
