"""Caffe's own files: weights (.caffemodel, legacy V1 and current format) and mean images (.npy, .binaryproto)."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from freeze_or_tune.system.errors import UserError

Blob = NDArray[np.float32]

# Fields of caffe.proto: NetParameter.layer, and LayerParameter's name and blobs.
_LAYER, _NAME, _BLOBS = 100, 1, 7


def read_caffemodel(path: Path, layers: Sequence[str]) -> dict[str, Tensor]:
    """`<layer>.weight` and `<layer>.bias` of the named layers, as the file has them; UserError if one is missing."""
    blobs = _blobs(path, path.read_bytes(), layers)
    parameters: dict[str, Tensor] = {}
    for layer in layers:
        if len(blobs[layer]) != 2:
            raise UserError(
                f"{path} is not a .caffemodel of CaffeNet: weights and biases of its layer {layer!r} are wanted, "
                f"{len(blobs[layer])} arrays are there"
            )
        weight, bias = blobs[layer]
        parameters |= {f"{layer}.weight": torch.from_numpy(weight), f"{layer}.bias": torch.from_numpy(bias)}
    return parameters


def read_mean(path: Path, size: int) -> Tensor:
    """Read a mean image, float32 [size, size, 3] in BGR, 0-255; UserError if the file holds none of this size."""
    read = {".npy": _read_npy, ".binaryproto": _read_binaryproto}.get(path.suffix)
    if read is None:
        raise UserError(f"{path}: a mean image is a .npy or a .binaryproto file of Caffe")
    mean = read(path)
    mean = mean[0] if mean.ndim == 4 and len(mean) == 1 else mean
    if mean.shape != (3, size, size):
        raise UserError(f"{path} has shape {list(mean.shape)}; the mean image of this network is [3, {size}, {size}]")
    low, high = float(mean.min()), float(mean.max())
    if not 0 <= low <= high <= 255:
        raise UserError(f"{path} holds values from {low:g} to {high:g}; a mean of pixels lies between 0 and 255")
    return torch.from_numpy(np.ascontiguousarray(mean.transpose(1, 2, 0), np.float32))


def _read_npy(path: Path) -> Blob:
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise UserError(f"{path} is not a whole .npy file ({error}); get it again") from None


def _read_binaryproto(path: Path) -> Blob:
    # The file is one BlobProto, which is also what a layer's weights are: OpenCV reads it as those of a layer.
    layer = _field(_NAME, b"mean") + _field(_BLOBS, path.read_bytes())
    return _blobs(path, _field(_LAYER, layer), ["mean"])["mean"][0]


def _blobs(path: Path, contents: bytes, layers: Sequence[str]) -> dict[str, list[Blob]]:
    """The arrays of each layer in a binary NetParameter; none if it has no such layer."""
    try:
        net = cv2.dnn.readNetFromCaffe(_buffer(_chain(layers).encode()), _buffer(contents))
    except cv2.error:
        raise UserError(f"{path} is not a whole file of Caffe; get it again") from None
    return {layer: _arrays(net, layer) for layer in layers}


def _arrays(net: cv2.dnn.Net, layer: str) -> list[Blob]:
    arrays: list[Blob] = []
    while True:
        try:
            arrays.append(np.array(net.getParam(layer, len(arrays)), np.float32))
        except cv2.error:
            return arrays  # past the last one


def _chain(layers: Sequence[str]) -> str:
    """A definition with layers of these names, of a kind that takes any arrays: real ones refuse wrong sizes."""
    definition = ['input: "data" input_shape { dim: 1 dim: 1 dim: 1 dim: 1 }']
    for bottom, name in zip(("data", *layers), layers, strict=False):
        definition.append(f'layer {{ name: "{name}" type: "Dropout" bottom: "{bottom}" top: "{name}" }}')
    return "\n".join(definition)


def _buffer(contents: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(contents, np.uint8)


def _field(number: int, contents: bytes) -> bytes:
    """One field of a protocol buffer that holds bytes."""
    return _varint(number << 3 | 2) + _varint(len(contents)) + contents


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])
