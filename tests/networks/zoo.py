"""A small network of each family, with numbers in it that let no layer hide."""

import torch

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.zoo import timm_network
from freeze_or_tune.study.backbones import TimmNetwork

# Name, pixels, blocks.
FAMILIES = [
    ("alexnet", 64, 8),
    ("vgg11_bn", 32, 8),
    ("resnet18", 40, 6),
    ("tf_efficientnet_lite0", 64, 10),
    ("convnext_atto", 64, 6),
    ("vit_tiny_patch16_224", 64, 14),
    ("swin_tiny_patch4_window7_224", 64, 6),
]
CLASSES = 7


def small(name: str, crop: int, **options: float) -> TimmNetwork:
    """Return the settings of a network that sees crops of so many pixels."""
    return TimmNetwork.model_validate(
        {"architecture": "timm", "name": name, "image_size": crop + 4, "crop": crop, **options}
    )


def stir(network: torch.nn.Module, seed: int = 0) -> None:
    """Move all numbers: initial values hide much (layer scales of 1e-6, norms that do nothing, biases of 0)."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            noise = torch.empty(value.shape).uniform_(0.5, 1.5, generator=generator)
            value.mul_(noise).add_(0.05 * noise if value.ndim == 1 and "var" not in name else 0)


def stirred(network: TimmNetwork, classes: int = CLASSES) -> Layered:
    """Return the network as blocks."""
    layered = timm_network(network, classes, 3)
    stir(layered)
    return layered
