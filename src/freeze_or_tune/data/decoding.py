"""Image files to arrays."""

import io
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError


def _heif() -> tuple[str, ...]:
    """HEIC, what telephones take, where somebody has installed the plugin."""
    try:
        import pillow_heif  # noqa: PLC0415 - it need not be there
    except ImportError:
        return ()
    pillow_heif.register_heif_opener()
    return ("HEIF",)


FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "AVIF", *_heif())
"""Formats that are read; others (such as EPS, which runs a program) are never tried."""

HEIC = frozenset({".heic", ".heics", ".heif", ".heifs", ".hif"})
"""How HEIC is called, which only the plugin itself knows."""
HEIC_HINT = "pip install 'freeze-or-tune[heif]' reads HEIC"

MOST_PIXELS = 100_000_000
"""A larger image is more likely an attack or an accident than a photograph."""


class UnreadableImage(ValueError):
    """An image that cannot be decoded; the message says why."""


@cache
def suffixes() -> frozenset[str]:
    """How Pillow knows files in FORMATS to be called, such as .jpg or .jfif."""
    return frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS)


def is_picture(file: IO[bytes], but: Collection[str] = ()) -> bool:
    """Whether an open file begins as a picture in one of FORMATS does, but not of these, whatever it is called."""
    try:
        with Image.open(file, formats=[kind for kind in FORMATS if kind not in but]):
            return True
    except Image.DecompressionBombError:
        return True
    except Exception:  # other files make decoders raise nearly anything
        return False


def decode(data: bytes, size: int) -> NDArray[np.uint8]:
    """Decode to RGB and warp to uint8 [size, size, 3], bilinear without antialiasing; raises UnreadableImage.

    As Caffe's tools do: the aspect ratio is not kept, EXIF orientation is ignored. Transparency is
    laid over white, of an animation the first frame is taken.
    """
    with _reasons(), _opened(data) as image:
        return _warp(_opaque(image), size)


def decode_whole(data: bytes) -> NDArray[np.uint8]:
    """Decode to RGB as it is, uint8 [height, width, 3]; raises UnreadableImage."""
    with _reasons(), _opened(data) as image:
        return _rgb(_opaque(image))


def decode_picture(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """A picture that Pillow has opened, or made, as `decode` has its file; raises UnreadableImage.

    Of an animation the frame where it stands is taken.
    """
    with _reasons():
        return _warp(_opaque(image), size)


def warp(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Warp decoded pixels [height, width, 3] as `decode` does."""
    return _warp(Image.fromarray(pixels), size)


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=FORMATS)


@contextmanager
def _reasons() -> Iterator[None]:
    """Whatever goes wrong with an image, as one error with words."""
    try:
        yield
    except (MemoryError, UnreadableImage):
        raise
    except Image.DecompressionBombError:
        raise UnreadableImage(f"more than {MOST_PIXELS:,} pixels are too many") from None
    except UnidentifiedImageError:  # its message holds an address in memory, different each time
        hint = "" if "HEIF" in FORMATS else f"; {HEIC_HINT}"
        raise UnreadableImage(f"not an image of a known format ({', '.join(FORMATS)}){hint}") from None
    except Exception as error:  # broken files make decoders raise nearly anything
        raise UnreadableImage(" ".join(str(error).split()) or type(error).__name__) from error


def _opaque(image: Image.Image) -> Image.Image:
    """The same picture in mode L or RGB."""
    if image.width * image.height > MOST_PIXELS:
        raise UnreadableImage(f"{image.width} x {image.height} pixels are too many")
    if not image.width * image.height:
        raise UnreadableImage(f"{image.width} x {image.height} pixels are none")
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image)
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, colours).convert("RGB")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """The upper eight of the sixteen bits of a grey image."""
    values = np.asarray(image)
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > 0xFFFF:
        raise UnreadableImage(f"pixels of mode {image.mode} are not 8- or 16-bit numbers")
    return Image.fromarray((values >> 8).astype(np.uint8))


def _warp(image: Image.Image, size: int) -> NDArray[np.uint8]:
    scale = (image.width / size, 0, 0, 0, image.height / size, 0)
    warped = image.transform((size, size), Image.Transform.AFFINE, scale, Image.Resampling.BILINEAR)
    return _rgb(warped)


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("RGB"))
