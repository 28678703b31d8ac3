"""Source networks that others have trained: their files read, checked and kept as `weights.py` keeps our own."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from freeze_or_tune.networks.caffemodel import read_caffemodel, read_mean
from freeze_or_tune.networks.caffenet import caffenet
from freeze_or_tune.networks.onnx_file import read_onnx
from freeze_or_tune.networks.weights import Pretrained
from freeze_or_tune.study.backbones import CaffeNet, Network
from freeze_or_tune.study.settings import Weights
from freeze_or_tune.system.errors import UserError

READERS: dict[str, Callable[[Path, Sequence[str]], dict[str, Tensor]]] = {
    ".caffemodel": read_caffemodel,
    ".onnx": read_onnx,
}
"""By suffix of the file: what reads weights and biases of the named layers."""


def read_weights(sizes: CaffeNet, path: Path) -> dict[str, Tensor]:
    """All parameters of a network of these sizes, by name; UserError if the file holds another network.

    Caffe's arrays are torch's, number for number: convolutions [out, in / groups, kernel, kernel], products [out, in]
    whose inputs are flattened in the order channel, row, column. The legacy format
    fills shapes up to four with ones.
    """
    reader = READERS.get(path.suffix)
    if reader is None:
        raise UserError(f"{path}: weights are read from files that end in {' or '.join(READERS)}")
    with path.open("rb") as file:
        if file.read(512).lstrip().startswith(b"<"):
            raise UserError(f"{path} is a web page and no weights; get the file again")
    wanted = _shapes(sizes, classes=1)
    found = reader(path, list(dict.fromkeys(name.split(".")[0] for name in wanted)))
    wanted = _shapes(sizes, classes=found["fc8.bias"].numel())
    for name, shape in wanted.items():
        if _squeezed(found[name].shape) != _squeezed(shape):
            raise UserError(f"{path}: {name} has shape {_words(found[name].shape)}, the network's is {_words(shape)}")
        if not found[name].isfinite().all():
            raise UserError(f"{path}: {name} holds values that are not finite numbers; get the file again")
    return {name: found[name].reshape(shape) for name, shape in wanted.items()}


def read_imported(sizes: Network, weights: Weights) -> Pretrained:
    """A source network out of others' files; UserError says which of them is wrong, and how."""
    if not isinstance(sizes, CaffeNet):
        from freeze_or_tune.networks.state_dicts import read_timm  # noqa: PLC0415 - timm takes seconds to import

        return read_timm(sizes, weights)
    if weights.mean is None:
        raise UserError(f"{weights.file}: CaffeNet's mean image is missing, the study's `weights.mean`")
    return Pretrained(read_weights(sizes, Path(weights.file)), read_mean(Path(weights.mean), sizes.image_size))


def _shapes(sizes: CaffeNet, classes: int) -> dict[str, torch.Size]:
    with torch.device("meta"):
        return {name: parameter.shape for name, parameter in caffenet(sizes, classes).named_parameters()}


def _squeezed(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]


def _words(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
