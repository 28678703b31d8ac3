"""Files of deep and turned images, as microscopes, scanners and telephones write them."""

import io
import struct

import cv2
import numpy as np
from PIL import Image


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """A file of Pillow's."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def by_cv2(suffix: str, values: np.ndarray) -> bytes:
    """A file of OpenCV's; colours in RGB."""
    order = values if values.ndim == 2 else values[..., [2, 1, 0, 3][: values.shape[2]]]
    return cv2.imencode(suffix, order)[1].tobytes()


def noted(orientation: int) -> Image.Exif:
    """What a camera notes of how it was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def tiff(values: np.ndarray, orientation: int = 1, white_is_zero: bool = False) -> bytes:
    """An uncompressed TIFF of one strip, of numbers of any kind, grey or RGB."""
    height, width = values.shape[:2]
    samples = 1 if values.ndim == 2 else values.shape[2]
    form = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    colours = 2 if samples >= 3 else 0 if white_is_zero else 1
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    tags = {
        256: (width,), 257: (height,), 258: (8 * values.dtype.itemsize,) * samples, 259: (1,), 262: (colours,),
        273: (0,), 274: (orientation,), 277: (samples,), 278: (height,), 279: (len(data),), 339: (form,) * samples,
    }  # fmt: skip
    behind = 8 + 2 + 12 * len(tags) + 4
    long = {tag: struct.pack(f"<{len(cells)}H", *cells) for tag, cells in tags.items() if len(cells) > 2}
    tags[273] = (behind + sum(map(len, long.values())),)
    entries, extra = b"", b""
    for tag, cells in tags.items():
        kind = 4 if tag in (256, 257, 273, 278, 279) else 3
        value = struct.pack("<I", *cells) if kind == 4 else struct.pack("<2H", *cells, 0) if len(cells) == 1 else b""
        if tag in long:
            value, extra = struct.pack("<I", behind + len(extra)), extra + long[tag]
        entries += struct.pack("<HHI", tag, kind, len(cells)) + value
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + extra + data
