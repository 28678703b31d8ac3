"""timm's networks by name, with their own initial weights and their own normalisation of pixels."""

from difflib import get_close_matches
from typing import Any

import timm
import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models import PretrainedCfg
from torch import Tensor, nn
from torchvision.models import alexnet

from freeze_or_tune.networks.families import CHANNELS_LAST, blocks_of
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.backbones import TimmNetwork
from freeze_or_tune.system.errors import UserError


def timm_network(network: TimmNetwork, classes: int, seed: int) -> Layered:
    """Blocks 1..L for normalised images [B, 3, crop, crop] in RGB; random weights as timm draws them, from `seed`."""
    return numbered(network, network_of_timm(network, classes, seed))


def numbered(network: TimmNetwork, model: nn.Module) -> Layered:
    """What timm built as blocks 1..L; UserError if the study says another L."""
    layered = Layered(blocks_of(model), bias_rate=1.0, channels_last=isinstance(model, CHANNELS_LAST))
    if layered.blocks != network.blocks:
        raise UserError(
            f"the network {network.name} has {layered.blocks} blocks, not {network.blocks}: write `blocks: "
            f"{layered.blocks}` into the study's network, and schemes that end there"
        )
    return layered


def network_of_timm(network: TimmNetwork, classes: int, seed: int, state: dict[str, Tensor] | None = None) -> nn.Module:
    """The network as timm (for AlexNet: torchvision) builds it; UserError if there is none of its name.

    With a `state` dict, in timm's names or others that it knows, its weights; RuntimeError if they do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # timm draws initial weights from the global generator
        if network.name == "alexnet":
            model = alexnet(num_classes=classes, dropout=network.dropout)
            if state is not None:
                model.load_state_dict(state)
            return model
        known = configuration(network.name)
        # Networks of patches are built for one size of images; the others take any.
        options: dict[str, Any] = {"img_size": network.crop} if known.fixed_input_size else {}
        if not network.name.startswith("vgg"):
            options["drop_path_rate"] = network.drop_path
        if state is not None:
            options |= {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": state, "num_classes": classes}}
        try:
            return timm.create_model(network.name, num_classes=classes, drop_rate=network.dropout, **options)
        except TypeError as error:
            raise UserError(f"{network.name} is of a family that cannot be cut into blocks ({error})") from None


def normalisation(network: TimmNetwork) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel (RGB, 0-255): the study's, or those that timm states."""
    if network.name == "alexnet":
        known = PretrainedCfg(mean=IMAGENET_DEFAULT_MEAN, std=IMAGENET_DEFAULT_STD)
    else:
        known = configuration(network.name)
    return (
        network.mean or tuple(255 * value for value in known.mean),
        network.deviation or tuple(255 * value for value in known.std),
    )


def configuration(name: str) -> PretrainedCfg:
    """What timm knows of a network; UserError if there is none of its name."""
    try:
        known = timm.get_pretrained_cfg(name)
    except RuntimeError:  # it is timm's, but with an unknown tag
        known = None
    if known is None or not timm.is_model(name):
        similar = get_close_matches(name, timm.list_models())
        hint = f"similar names are {', '.join(similar)}" if similar else "timm.list_models() lists them"
        raise UserError(f"timm {timm.__version__} has no network {name!r}; {hint}")
    return known
