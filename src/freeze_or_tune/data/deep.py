"""Images of more than eight bits: their values as the file has them, and which of these are black and white."""

import io
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from freeze_or_tune.records.decoding import Range

Values = NDArray[Any]
"""[height, width], or [height, width, 3 or 4] in RGB with opacity; whole or real numbers."""
Kind = Literal["integers", "reals"]

BITS = (8, 10, 12, 14, 16)
"""What cameras, microscopes and scanners give."""

_SPARED = 10_000
"""One pixel in so many, and at least one, may lie outside: hot and dead ones."""
_IMAGES_SPARED = 100
"""One image in so many may."""
_NEARLY = 0.01
"""Of a range, by which interpolation may have left it."""
_COLOURS = re.compile(r"(RGB|RGBA|RGBX|LA);16")
_WIDTH, _HEIGHT, _BITS, _INVERTED, _ORIENTATION, _SAMPLES, _FORMAT = 256, 257, 258, 262, 274, 277, 339
_WHOLE, _REAL = 1, 3


class ForeignTiff(NamedTuple):
    """What Pillow does not know: real numbers of 64 bits, or in colour, are what other tools write."""

    kind: Kind
    width: int
    height: int
    orientation: int
    white_is_zero: bool


class Extremes(NamedTuple):
    """The least and the largest value of an image, but for the pixels that are spared."""

    low: float
    high: float


def kind_of(image: Image.Image) -> Kind | None:
    """What an image, not loaded yet where it is in colour, has instead of eight bits."""
    if image.mode.startswith("F"):
        return "reals"
    return "integers" if image.mode.startswith("I") or _deep_colours(image) else None


def values_of(image: Image.Image) -> Values:
    """The values of a deep image; ValueError if they cannot be read."""
    if image.mode.startswith(("I", "F")):
        return np.asarray(image)
    unused = _raw_mode(image).startswith("RGBX")
    file: Any = image.fp  # type: ignore[attr-defined]
    place = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(place)
    image.load()  # OpenCV takes half a file for a whole one; and what stands behind a PNG's pixels is still to be read
    values = by_opencv(data)
    return values[..., :3] if unused else values


def by_opencv(data: bytes) -> Values:
    """Values of a file whose colours Pillow would cut to eight bits, or which it does not know; ValueError likewise."""
    cv2 = _opencv()
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError(f"OpenCV cannot read it: {error.err}") from None
    if values is None:
        raise ValueError("the file is damaged, or of a kind that OpenCV does not know")
    if values.ndim == 2:
        return values
    if values.shape[2] not in (3, 4):
        raise ValueError(f"{values.shape[2]} channels are neither grey nor colours")
    return values[..., [2, 1, 0, 3][: values.shape[2]]]


def foreign_tiff(data: bytes) -> ForeignTiff | None:
    """What a TIFF that Pillow does not know says of itself; None if it is none, or not deep."""
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return None
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(data[:8])
        file = io.BytesIO(data)
        file.seek(tags.next)
        tags.load(file)
        bits, form = max(tags.get(_BITS, (1,))), max(tags.get(_FORMAT, (1,)))
        known = bits == 16 if form == _WHOLE else bits > 8  # OpenCV knows no others
        if not known or tags.get(_SAMPLES, 1) not in (1, 3, 4):
            return None
        return ForeignTiff(
            "reals" if form == _REAL else "integers", int(tags[_WIDTH]), int(tags[_HEIGHT]),
            tags.get(_ORIENTATION, 1), tags.get(_INVERTED) == 0,
        )  # fmt: skip
    except Exception:  # whatever a broken file makes of it
        return None


def extremes(values: Values) -> Extremes:
    """Of an image, but for one pixel in 10,000 at each end, and at least one; ValueError if none is a number."""
    flat = (values[..., :3] if values.ndim == 3 else values).ravel()
    if flat.dtype.kind == "f":
        flat = flat[np.isfinite(flat)]
    if not flat.size:
        raise ValueError("no pixel is a number")
    spared = min(max(1, flat.size // _SPARED), (flat.size - 1) // 2)
    ends = np.partition(flat, (spared, flat.size - 1 - spared))
    return Extremes(float(ends[spared]), float(ends[-1 - spared]))


def range_of(kind: Kind, images: Sequence[Extremes]) -> Range:
    """Black and white for all images of a dataset, but for one in 100 at each end; values beyond are clipped.

    Integers from 0 on: the fewest bits, of 8 to 16, that hold them. Real numbers: 0 to 1, or 0 to 255. Whatever is in
    none of these: from the least value to the largest.
    """
    spared = len(images) // _IMAGES_SPARED
    low = sorted(image.low for image in images)[spared]
    high = sorted(image.high for image in images)[-1 - spared]
    whites = [2**bits - 1 for bits in BITS] if kind == "integers" else [1, 255]
    leeway = 0 if kind == "integers" else _NEARLY
    for white in whites:
        if -leeway * high <= low and high <= white + leeway * white:
            return 0.0, float(white)
    return low, high if high > low else low + 1


def eight_bits(values: Values, black_and_white: Range) -> NDArray[np.uint8]:
    """Values from black to white as 0 to 255, rounded, those beyond clipped; what is no number is black."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return _scaled(np.arange(1 << 16), black_and_white)[values]
    return _scaled(values, black_and_white)


def shown(values: Values, black_and_white: Range) -> Image.Image:
    """A deep image as Pillow would have it with eight bits: L, RGB or RGBA."""
    if values.ndim == 2 or values.shape[2] == 3:
        return Image.fromarray(eight_bits(values, black_and_white))
    # Opacity has the whole of its range, however many bits the colours use.
    full = (0.0, 1.0) if values.dtype.kind == "f" else (0.0, float(np.iinfo(values.dtype).max))
    colours, opacity = eight_bits(values[..., :3], black_and_white), eight_bits(values[..., 3:], full)
    return Image.fromarray(np.concatenate((colours, opacity), axis=2))


def white_is_zero(image: Image.Image) -> bool:
    """Whether a grey TIFF says so, as X-rays do; Pillow heeds it for eight bits."""
    return isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(_INVERTED) == 0


@cache
def _opencv() -> Any:
    """A fifth of a second, for few. What it would print of damaged files is in the error."""
    import cv2  # noqa: PLC0415

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def _scaled(values: Values, black_and_white: Range) -> NDArray[np.uint8]:
    black, white = black_and_white
    numbers: NDArray[Any] = values.astype(np.float64 if values.dtype.itemsize > 4 else np.float32)
    shares = (numbers - black) * (255 / (white - black))
    if values.dtype.kind == "f":
        np.nan_to_num(shares, copy=False, nan=0, posinf=255, neginf=0)
    return np.clip(np.rint(shares, out=shares), 0, 255, out=shares).astype(np.uint8)


def _deep_colours(image: Image.Image) -> bool:
    """Whether Pillow would cut the file's colours to their upper eight bits. Once it has, nobody can tell."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return False
    codec, *_, arguments = tiles[0]
    deep_ppm = codec == "ppm" and isinstance(arguments, tuple) and arguments[-1] == 0xFFFF and image.mode == "RGB"
    return deep_ppm or _COLOURS.match(_raw_mode(image)) is not None


def _raw_mode(image: Image.Image) -> str:
    arguments = image.tile[0][-1]  # type: ignore[attr-defined]
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""
