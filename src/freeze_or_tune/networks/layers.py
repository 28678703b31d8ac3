"""Layers of CaffeNet that are faster on a CPU than torch's own, whose parameters and meaning they have."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class ResponseNorm(nn.Module):
    """Caffe's LRN across channels, x / (1 + alpha/5 * sum of 5 squares)^0.75, in fewer operations than torch's."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a batch [B, C, H, W]."""
        if x.requires_grad and not torch.jit.is_tracing():  # type: ignore[attr-defined]
            normalised: Tensor = _ResponseNorm.apply(x)
            return normalised
        half, quarter, _ = _normalised(x)
        return half * quarter


class _ResponseNorm(torch.autograd.Function):
    """What autograd makes of `_normalised`, to the last bit, in half as many operations."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        """[B, C, H, W] to the same."""
        half, quarter, root = _normalised(x)
        context.save_for_backward(x, half, quarter, root)
        return half * quarter

    @staticmethod
    @once_differentiable  # its second derivatives are nobody's
    def backward(context: Any, gradient: Tensor) -> Tensor:
        """Of x; factors that are powers of 2 round nothing and are taken together."""
        x, half, quarter, root = context.saved_tensors
        of_half = gradient * quarter
        of_root = (of_half * x).add_((gradient * half).div_(quarter), alpha=0.5)
        of_squares = _neighbours(of_root.mul_(root.pow(3)).mul_(-_ALPHA / _SIZE / 2)).mul_(x)
        # Twice one after the other, as autograd adds what x * x gives to either x.
        return of_half.mul_(root).add_(of_squares).add_(of_squares)


_ALPHA = 1e-4
_SIZE = 5
"""Channels that a response is compared with: itself and two on each side."""


def _normalised(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x / s^0.5 and 1 / s^0.25, whose product is the norm, and 1 / s^0.5; all as x is."""
    root = torch.rsqrt(_neighbours(x * x).mul_(_ALPHA / _SIZE).add_(1))
    return x * root, torch.sqrt(root), root


def _neighbours(x: Tensor) -> Tensor:
    """For each channel the sum over it and its neighbours [B, C, H, W], in their order."""
    return _shifted(x) if x.device.type == "cpu" else _pooled(x)


def _shifted(x: Tensor) -> Tensor:
    """`_neighbours` where operations are fast and loops slow."""
    channels = x.shape[1]
    padded = F.pad(x, (0, 0, 0, 0, _SIZE // 2, _SIZE // 2))
    total = padded[:, :channels] + padded[:, 1 : channels + 1]
    for offset in range(2, _SIZE):
        total += padded[:, offset : offset + channels]
    return total


def _pooled(x: Tensor) -> Tensor:
    """`_neighbours` as one operation, for devices where starting one may take longer than the work itself."""
    last = x.is_contiguous(memory_format=torch.channels_last)
    rows = x.movedim(1, -1).flatten(1, 2) if last else x.flatten(2)
    window, borders = ((1, _SIZE), (0, _SIZE // 2)) if last else ((_SIZE, 1), (_SIZE // 2, 0))
    total = F.avg_pool2d(rows, window, 1, borders, divisor_override=1)
    return total.unflatten(1, x.shape[2:]).movedim(-1, 1) if last else total.view(x.shape)


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
