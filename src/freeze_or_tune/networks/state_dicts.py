"""Weights of timm's networks that a person has: a state dict in a .pth or .safetensors, or in a wheel or zip."""

import pickle
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError
from torch import Tensor

from freeze_or_tune.networks.build import own_mean
from freeze_or_tune.networks.weights import Pretrained
from freeze_or_tune.networks.zoo import configuration, network_of_timm, numbered
from freeze_or_tune.study.backbones import TimmNetwork
from freeze_or_tune.study.settings import Weights
from freeze_or_tune.system.errors import UserError

_STATES = (".pth", ".pt", ".bin", ".safetensors")
_ARCHIVES = (".whl", ".zip")
_CLASSIFIERS = ("classifier.6", "fc", "head.fc", "classifier", "head", "classifier.1")
"""What networks call their last layer, timm's and torchvision's."""


def read_timm(network: TimmNetwork, weights: Weights) -> Pretrained:
    """A source network out of a state dict, numbered; UserError if the file is damaged or is of another network."""
    path = Path(weights.file)
    with _unpacked(path) as file:
        state = _load(path, file)
    if weights.by_order:
        state = _renamed(network, state, path)
    try:
        model = network_of_timm(network, _classes(network, state), seed=0, state=state)
    except (RuntimeError, KeyError) as error:
        hint = "" if weights.by_order else "; if only its names differ, `by_order: true` takes them in order"
        raise UserError(f"{path} holds no {network.name}: {str(error)[:300]}{hint}") from None
    mean = own_mean(network)
    assert mean is not None
    return Pretrained(numbered(network, model).state_dict(), mean)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """The file itself, or the only state dict of an archive, for as long as it is read."""
    if path.suffix in _STATES:
        yield path
        return
    if path.suffix not in _ARCHIVES:
        raise UserError(f"{path}: weights are read from files that end in {', '.join((*_STATES, *_ARCHIVES))}")
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            names = [name for name in archive.namelist() if name.endswith(_STATES)]
            if len(names) != 1:
                raise UserError(f"{path} holds {len(names)} files that end in {', '.join(_STATES)}; it must be one")
            yield Path(archive.extract(names[0], folder))
    except zipfile.BadZipFile as error:
        raise UserError(f"{path} is damaged ({error}); get it again") from None


def _load(path: Path, file: Path) -> dict[str, Tensor]:
    try:
        state = timm.models.load_state_dict(str(file), weights_only=True)
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError, SafetensorError, AttributeError) as error:
        raise UserError(f"{path} is no state dict of tensors alone, or damaged: {str(error)[:200]}") from None
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    odd = [name for name, value in tensors.items() if not value.isfinite().all()]
    if odd or not tensors:
        what = f"{odd[0]} holds values that are not finite numbers" if odd else "it holds no tensors"
        raise UserError(f"{path}: {what}; get the file again")
    return tensors


def _renamed(network: TimmNetwork, state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors under the network's names, in order; UserError at the first shape that differs."""
    wanted = _shapes(network, classes=len(next(reversed(state.values()))))
    if len(wanted) != len(state):
        raise UserError(f"{path} holds {len(state)} tensors, {network.name} has {len(wanted)}")
    for (name, shape), (stored, value) in zip(wanted.items(), state.items(), strict=True):
        if shape != value.shape:
            raise UserError(f"{path}: {stored} has shape {tuple(value.shape)}, {name} in its place has {tuple(shape)}")
    return dict(zip(wanted, state.values(), strict=True))


def _shapes(network: TimmNetwork, classes: int) -> dict[str, torch.Size]:
    with torch.device("meta"):
        return {name: value.shape for name, value in network_of_timm(network, classes, seed=0).state_dict().items()}


def _classes(network: TimmNetwork, state: dict[str, Tensor]) -> int:
    """Outputs of the classifier of a state dict, by the names it may have; as timm has it if it has none of them."""
    known = None if network.name == "alexnet" else configuration(network.name)
    names = (*([str(known.classifier)] if known else ()), *_CLASSIFIERS)
    found = (state[f"{name}.weight"] for name in names if f"{name}.weight" in state)
    return next((len(value) for value in found), known.num_classes if known else 1000)
