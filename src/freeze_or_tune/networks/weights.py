"""Source networks on disk: safetensors with the state by layer and the mean image they were trained with."""

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.system.errors import DamagedFile, UserError, made_by_the_workflow
from freeze_or_tune.system.files import replacing

_MEAN, _ABOUT = "mean", "about"
_CLASSIFIERS = ("fc8.bias", "classifier.bias")
"""Biases of the last layer of CaffeNet, and of timm's networks as `zoo.py` names it."""


@dataclass(frozen=True)
class Pretrained:
    """What is known of a source: its parameters and buffers by name, and its mean image [S, S, 3] (0-255).

    The mean's channels are in the network's order: BGR for CaffeNet, RGB for timm's.
    """

    parameters: dict[str, Tensor]
    mean: Tensor

    @property
    def classes(self) -> int:
        """Number of classes of the source: outputs of its classifier; 0 if it was trained without one."""
        return next((len(self.parameters[name]) for name in _CLASSIFIERS if name in self.parameters), 0)

    def cooled(self, temperature: float) -> "Pretrained":
        """The same network, its classifier's outputs divided by a temperature."""
        bias = next(name for name in _CLASSIFIERS if name in self.parameters)
        names = (bias, bias.replace("bias", "weight"))
        return Pretrained(self.parameters | {name: self.parameters[name] / temperature for name in names}, self.mean)

    def copy_to(self, network: Layered, blocks: range) -> None:
        """Copy parameters and buffers of the given blocks; ValueError if one is missing or has another shape."""
        for name, tensor in network.state_of(blocks).items():
            stored = self.parameters.get(name)
            if stored is None or stored.shape != tensor.shape:
                found = "nothing" if stored is None else tuple(stored.shape)
                raise ValueError(f"{name}: expected shape {tuple(tensor.shape)}, the weights have {found}")
            tensor.copy_(stored)


def save_pretrained(pretrained: Pretrained, path: Path | str, about: str = "") -> None:
    """Write a source network to a safetensors file, atomically; its header keeps what is said `about` it."""
    tensors = {**pretrained.parameters, _MEAN: pretrained.mean}
    with replacing(path) as temporary:
        contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        # Not save_file, whose files nobody else on a cluster may read.
        temporary.write_bytes(save(contiguous, {_ABOUT: about} if about else None))


def load_pretrained(path: Path | str) -> Pretrained:
    """Read a network, anybody's; UserError if the file is damaged."""
    try:
        tensors = load_file(path)
        mean = tensors.pop(_MEAN)
    except (SafetensorError, KeyError) as error:
        raise DamagedFile(f"{path} is not a complete network of this project ({error})") from None
    return Pretrained(tensors, mean)


@made_by_the_workflow()
def load_source(path: Path | str) -> Pretrained:
    """Read a network that a rule has written, likewise."""
    return load_pretrained(path)


def read_about(path: Path | str) -> str:
    """What the file's header says about the network, or nothing; UserError if it is no safetensors file."""
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get(_ABOUT, "")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a safetensors file ({error})") from None
