"""Any network of a study as numbered blocks, and what it makes of pixels before it sees them.

timm is imported only for its own networks: that takes a second or more at the start of a job.
"""

import torch
from torch import Tensor

from freeze_or_tune.networks.caffenet import caffenet, initialise
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.backbones import CaffeNet, Network


def build(network: Network, classes: int, seed: int, drawn_from: int = 1) -> Layered:
    """Blocks 1..L with random weights from `seed`; UserError if timm has no such network.

    Blocks before `drawn_from` will be copied: CaffeNet's, which are large, are left without values.
    """
    if isinstance(network, CaffeNet):
        layered = caffenet(network, classes)
        initialise(layered, network.filler, seed, drawn_from)
        return layered
    from freeze_or_tune.networks.zoo import timm_network  # noqa: PLC0415

    return timm_network(network, classes, seed)


def outline(network: Network, classes: int) -> Layered:
    """The same blocks without values, on torch's meta device: shapes alone, which take no memory."""
    with torch.device("meta"):
        return caffenet(network, classes) if isinstance(network, CaffeNet) else build(network, classes, seed=0)


def own_mean(network: Network) -> Tensor | None:
    """The mean image [S, S, 3] that a network always subtracts; None if it is that of its training images."""
    if isinstance(network, CaffeNet):
        return None
    from freeze_or_tune.networks.zoo import normalisation  # noqa: PLC0415

    mean, _ = normalisation(network)
    return torch.tensor(mean).expand(network.image_size, network.image_size, 3)


def scale_of(network: Network, device: torch.device) -> float | Tensor:
    """Factor of pixels (0-255) minus the mean: one number, or one a channel."""
    if isinstance(network, CaffeNet):
        return network.scale
    from freeze_or_tune.networks.zoo import normalisation  # noqa: PLC0415

    _, deviation = normalisation(network)
    return (1 / torch.tensor(deviation)).to(device)
