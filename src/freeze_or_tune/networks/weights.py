"""Source networks on disk: safetensors with the weights by layer and the mean image they were trained with."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from freeze_or_tune.errors import UserError
from freeze_or_tune.files import replacing
from freeze_or_tune.networks.layered import Layered

_MEAN, _ABOUT = "mean", "about"


@dataclass(frozen=True)
class Pretrained:
    """What is known of a source: its parameters by name, and its mean image [S, S, 3] (BGR, 0-255)."""

    parameters: dict[str, Tensor]
    mean: Tensor

    @property
    def classes(self) -> int:
        """Number of classes of the source, from the classifier's biases."""
        return len(self.parameters["fc8.bias"])

    def copy_to(self, network: Layered, blocks: range) -> None:
        """Copy the parameters of the given blocks; ValueError if one is missing or has another shape."""
        with torch.no_grad():
            for name, parameter in network.parameters_of(blocks):
                stored = self.parameters.get(name)
                if stored is None or stored.shape != parameter.shape:
                    found = "nothing" if stored is None else tuple(stored.shape)
                    raise ValueError(f"{name}: expected shape {tuple(parameter.shape)}, the weights have {found}")
                parameter.copy_(stored)


def save_pretrained(pretrained: Pretrained, path: Path | str, about: str = "") -> None:
    """Write a source network to a safetensors file, atomically; its header keeps what is said `about` it."""
    tensors = {**pretrained.parameters, _MEAN: pretrained.mean}
    with replacing(path) as temporary:
        contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, temporary, metadata={_ABOUT: about} if about else None)


def load_pretrained(path: Path | str) -> Pretrained:
    """Read a source network; UserError if the file is damaged."""
    try:
        tensors = load_file(path)
        mean = tensors.pop(_MEAN)
    except (SafetensorError, KeyError) as error:
        raise UserError(
            f"{path} is not a complete source network ({error}); delete it and run snakemake again"
        ) from None
    return Pretrained(tensors, mean)


def read_about(path: Path | str) -> str:
    """What the file's header says about the network, or nothing; UserError if it is no safetensors file."""
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get(_ABOUT, "")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a safetensors file ({error})") from None
