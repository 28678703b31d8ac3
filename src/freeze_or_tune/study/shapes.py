"""What one image costs in a network, counted from its sizes. Pure Python: the Snakefile asks for it."""

import math
from typing import NamedTuple

from freeze_or_tune.study.backbones import CaffeNet, Network


class Shape(NamedTuple):
    """A network's cost for one image: outputs and floating-point operations of each block but the classifier."""

    outputs: tuple[int, ...]
    work: tuple[float, ...]
    activations: int
    parameters: int

    @property
    def operations(self) -> float:
        """Floating-point operations of all blocks."""
        return sum(self.work)


def shape_of(network: Network) -> Shape:
    """CaffeNet's layers by its sizes; of another architecture what a ResNet-50 of this crop costs."""
    pixels = 3 * network.crop**2
    if not isinstance(network, CaffeNet):
        body = network.blocks - 1
        each = 8e9 * (network.crop / 224) ** 2 / body
        return Shape((pixels,) * body, (each,) * body, 80 * pixels, 30_000_000)
    c1, c2, c3, c4, c5 = network.channels
    width = network.features
    first = (network.crop - 11) // 4 + 1
    second, third, last = _pooled(first), _pooled(_pooled(first)), _pooled(_pooled(_pooled(first)))
    flat = c5 * last**2
    weights = (c1 * 363, c2 * c1 * 25 // 2, c3 * c2 * 9, c4 * c3 * 9 // 2, c5 * c4 * 9 // 2, width * flat, width**2)
    places = (first**2, second**2, third**2, third**2, third**2, 1, 1)
    outputs = (c1 * second**2, c2 * third**2, c3 * third**2, c4 * third**2, flat, width, width)
    responses = sum(c * p for c, p in zip((c1, c2, c3, c4, c5, width, width), places, strict=True))
    work = tuple(2.0 * w * p for w, p in zip(weights, places, strict=True))
    return Shape(outputs, work, pixels + 4 * responses, sum(weights))


def _pooled(size: int) -> int:
    return math.ceil((size - 3) / 2) + 1
