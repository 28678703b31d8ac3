"""Networks with random weights, without the data or the training around them."""

import torch

from freeze_or_tune.networks.caffenet import caffenet, initialise
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.backbones import CaffeNet

SMALL = CaffeNet(channels=(32, 64, 96, 96, 64), features=256, image_size=64, crop=60, dropout=0.2)


def drawn(sizes: CaffeNet = SMALL, classes: int = 40, filler: str = "msra", seed: int = 0) -> Layered:
    """Return a network with weights drawn from `seed`."""
    network = caffenet(sizes, classes)
    initialise(network, filler, seed)
    return network


def crops(count: int = 2, crop: int = 60, seed: int = 1) -> torch.Tensor:
    """Return random inputs of about the size of pixels minus their mean, over 64."""
    return torch.randn(count, 3, crop, crop, generator=torch.Generator().manual_seed(seed))
