"""Caffe's binary files, written by hand from the field numbers of caffe.proto: what the readers must read."""

from collections.abc import Mapping

import numpy as np

# V1LayerParameter.LayerType.
_CONVOLUTION, _INNER_PRODUCT = 4, 14


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def blob(array: np.ndarray, *, legacy: bool) -> bytes:
    """Encode a BlobProto: num, channels, height and width as before 2015, or a BlobShape."""
    if legacy:
        sizes = [1] * (4 - array.ndim) + list(array.shape)
        shape = b"".join(_number(field, size) for field, size in enumerate(sizes, start=1))
    else:
        shape = _bytes(7, _bytes(1, b"".join(map(_varint, array.shape))))
    return shape + _bytes(5, array.astype("<f4").tobytes())


def caffemodel(layers: Mapping[str, tuple[np.ndarray, np.ndarray]], *, legacy: bool) -> bytes:
    """Encode a NetParameter with the weights and biases of each layer, in V1 or current form."""
    encoded = [_bytes(1, b"CaffeNet")]
    for name, arrays in layers.items():
        blobs = [blob(array, legacy=legacy) for array in arrays]
        if legacy:
            kind = _number(5, _CONVOLUTION if name.startswith("conv") else _INNER_PRODUCT)
            encoded.append(_bytes(2, _bytes(4, name.encode()) + kind + b"".join(_bytes(6, b) for b in blobs)))
        else:
            kind = _bytes(2, b"Convolution" if name.startswith("conv") else b"InnerProduct")
            encoded.append(_bytes(100, _bytes(1, name.encode()) + kind + b"".join(_bytes(7, b) for b in blobs)))
    return b"".join(encoded)
