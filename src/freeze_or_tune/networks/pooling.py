"""Average pooling to a fixed size, whose gradients on a GPU are the same each time: torch has no such algorithm."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AveragePool(nn.Module):
    """torch's AdaptiveAvgPool2d for square inputs: on a CPU torch's own, on other devices as one product."""

    def __init__(self, size: int, at_least: bool = False) -> None:
        """Means of `size` x `size` parts; `at_least`: what is larger stays as it is."""
        super().__init__()
        self.size, self.at_least = size, at_least

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, S, S] to [B, C, size, size]."""
        places = int(x.shape[-1])
        if places == self.size or (self.at_least and places > self.size):
            return x
        # ONNX knows only sizes that divide each other.
        if x.device.type == "cpu" and not torch.jit.is_tracing():  # type: ignore[attr-defined]
            return F.adaptive_avg_pool2d(x, self.size)
        return averaged(x, self.size)


def averaged(x: Tensor, size: int) -> Tensor:
    """The means as a product with a constant matrix of zeros and ones, which no precision rounds."""
    members = _members(int(x.shape[-1]), size, x.device, x.dtype)
    return (x.flatten(2) @ members / members.sum(0)).unflatten(2, (size, size))


@cache
def _members(places: int, means: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Which places are part of which means [places^2, means^2].

    Either divide a side evenly, and a mean is of the places that it overlaps with (torch's AdaptiveAveragePooling.h).
    """
    place = torch.arange(places, device=device).unsqueeze(1)
    mean = torch.arange(means, device=device)
    overlap = (mean * places < (place + 1) * means) & (place * means < (mean + 1) * places)
    return (overlap[:, None, :, None] & overlap[:, None]).flatten(2).flatten(0, 1).to(dtype)
