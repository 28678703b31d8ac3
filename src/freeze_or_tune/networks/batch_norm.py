"""What batch norm remembers of the images that a network was trained on.

After a batch norm a channel has mean beta and standard deviation gamma over the source's images and places. Taken for
Gaussian, z ~ N(beta, gamma^2), what a ReLU or ReLU6 leaves of it has a mean in closed form; the mean over places
(pooling) and images does not change that.
"""

import math

import torch
from torch import Tensor, nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.system.errors import UserError


def rectified_mean(mean: Tensor, deviation: Tensor, cap: float = math.inf) -> Tensor:
    """E[min(max(z, 0), cap)] for z ~ N(mean, deviation^2), elementwise."""
    whole = _above(mean, deviation)
    return whole if math.isinf(cap) else whole - _above(mean - cap, deviation)


def _above(mean: Tensor, deviation: Tensor) -> Tensor:
    """E[max(z, 0)] = mean Phi(mean / deviation) + deviation phi(mean / deviation)."""
    ratio = mean / deviation
    density = torch.exp(-ratio * ratio / 2) / math.sqrt(2 * math.pi)
    return mean * torch.special.ndtr(ratio) + deviation * density


def estimated_features(network: Layered) -> Tensor:
    """Mean features [D] of the source's images, float64; UserError unless a batch norm and its ReLU are pooled last."""
    layers = [layer for name, layer in network.named_children() if network.block_of[name] == network.blocks - 1]
    norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d)]
    activation = getattr(norms[-1], "act", None) if norms else None
    if not isinstance(activation, nn.ReLU | nn.ReLU6):
        raise UserError(
            "the mean features of this network's source cannot be estimated: its features are not a pooled ReLU after "
            "a batch norm, as EfficientNet-Lite's are; name the source's dataset in the study"
        )
    cap = 6.0 if isinstance(activation, nn.ReLU6) else math.inf
    with torch.no_grad():
        return rectified_mean(norms[-1].bias.double(), norms[-1].weight.double().abs().clamp(min=1e-12), cap)
