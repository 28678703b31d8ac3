"""Image files to arrays."""

import io
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, TiffImagePlugin, UnidentifiedImageError

from freeze_or_tune.data import deep
from freeze_or_tune.data.turning import orientation_of, turned, undone
from freeze_or_tune.records.decoding import CAFFE, Decoding


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

_WITH_FRAMES = {"GIF": "frames", "PNG": "frames", "WEBP": "frames", "AVIF": "frames", "TIFF": "pages"}
"""Not JPEG: what a telephone lays behind its photograph is no other picture."""


class UnreadableImage(ValueError):
    """An image that cannot be decoded; the message says why."""


class Decoded(NamedTuple):
    """An image, and what its owner should know of it."""

    pixels: NDArray[np.uint8] | None
    """[size, size, 3]; None where black and white are still to be found."""
    deep: deep.Kind | None
    """What it has instead of eight bits."""
    noticed: tuple[str, ...]
    """turned, pages, frames, numberless."""


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


def decode(data: bytes, size: int, how: Decoding = CAFFE) -> NDArray[np.uint8]:
    """Decode to RGB and warp to uint8 [size, size, 3], bilinear without antialiasing; raises UnreadableImage.

    As Caffe's tools do: the aspect ratio is not kept. Transparency is laid over white, of an animation the first frame
    is taken, of several pages the first. `how`: whether EXIF orientation is heeded, and what is black and white of
    images of more than eight bits.
    """
    pixels = decode_noting(data, size, how).pixels
    assert pixels is not None
    return pixels


def decode_noting(data: bytes, size: int, how: Decoding, unknown: frozenset[deep.Kind] = frozenset()) -> Decoded:
    """Likewise, with what is to be known of the image; not yet if it is of a kind whose range is `unknown`."""
    with _reasons():
        try:
            opened = _opened(data)
        except UnidentifiedImageError:
            return _foreign(data, size, how, unknown)
        with opened as image:
            return _decoded(image, size, how, unknown)


def decode_whole(data: bytes) -> NDArray[np.uint8]:
    """Decode to RGB as it is, uint8 [height, width, 3]; raises UnreadableImage."""
    with _reasons(), _opened(data) as image:
        return _rgb(_opaque(image, CAFFE))


def decode_picture(image: Image.Image, size: int, how: Decoding = CAFFE) -> NDArray[np.uint8]:
    """A picture that Pillow has opened, or made, as `decode` has its file; raises UnreadableImage.

    Of an animation the frame where it stands is taken.
    """
    with _reasons():
        pixels = _decoded(image, size, how).pixels
    assert pixels is not None
    return pixels


def decode_values(values: deep.Values, size: int, how: Decoding) -> NDArray[np.uint8]:
    """Values of a deep image [height, width] or [height, width, 3 or 4], as `decode` has their file."""
    with _reasons():
        return _warp(_over_white(_eight_bits(values, how)), size)


def deep_values(data: bytes) -> deep.Values:
    """The values of a deep image as its file has them; raises UnreadableImage."""
    with _reasons():
        try:
            opened = _opened(data)
        except UnidentifiedImageError:
            _foreign_tiff(data)
            return deep.by_opencv(data)
        with opened as image:
            _check_size(*image.size)
            return deep.values_of(image)


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


def _decoded(
    image: Image.Image, size: int, how: Decoding, unknown: frozenset[deep.Kind] = frozenset()
) -> Decoded:  # fmt: skip
    kind = deep.kind_of(image)
    if kind in unknown:
        return Decoded(None, kind, ())
    tiff = isinstance(image, TiffImagePlugin.TiffImageFile)
    before = orientation_of(image) if tiff else 1  # a TIFF is turned, and has no note any more, once it is loaded
    numberless = kind == "reals" and not np.isfinite(np.asarray(image)).all()
    upright, turned = _upright(_opaque(image, how), before if tiff else orientation_of(image), how, heeded=tiff)
    frames = image.format in _WITH_FRAMES and getattr(image, "is_animated", False)
    return Decoded(
        _warp(upright, size), kind, _noted(turned, numberless, _WITH_FRAMES[image.format or ""] if frames else None)
    )


def _foreign(data: bytes, size: int, how: Decoding, unknown: frozenset[deep.Kind]) -> Decoded:
    """A TIFF of kinds that Pillow does not know."""
    tiff = _foreign_tiff(data)
    if tiff.kind in unknown:
        return Decoded(None, tiff.kind, ())
    values = deep.by_opencv(data)
    shown = _over_white(_eight_bits(values, how, inverted=tiff.white_is_zero))
    upright, turned = _upright(shown, tiff.orientation, how, heeded=True)
    numberless = tiff.kind == "reals" and not np.isfinite(values).all()
    return Decoded(_warp(upright, size), tiff.kind, _noted(turned, numberless))


def _foreign_tiff(data: bytes) -> deep.ForeignTiff:
    found = deep.foreign_tiff(data)
    if found is None:
        raise UnidentifiedImageError
    _check_size(found.width, found.height)
    return found


def _upright(
    image: Image.Image, orientation: int, how: Decoding, *, heeded: bool
) -> tuple[Image.Image, bool]:  # fmt: skip
    """As `how` wants it, and whether there was a note. Loading a TIFF has `heeded` it."""
    if heeded and how.orientation == "stored":
        return undone(image, orientation), orientation != 1
    if not heeded and how.orientation == "exif":
        return turned(image, orientation), orientation != 1
    return image, orientation != 1


def _noted(turned: bool, numberless: bool, frames: str | None = None) -> tuple[str, ...]:
    found = {"turned": turned, "numberless": numberless} | ({frames: True} if frames else {})
    return tuple(name for name, noted in found.items() if noted)


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise UnreadableImage(f"{width} x {height} pixels are too many")
    if not width * height:
        raise UnreadableImage(f"{width} x {height} pixels are none")


def _opaque(image: Image.Image, how: Decoding) -> Image.Image:
    """The same picture in mode L or RGB."""
    _check_size(*image.size)
    if image.mode.startswith(("I", "F")) or (how.integers and deep.kind_of(image)):
        return _over_white(_eight_bits(deep.values_of(image), how, image.mode, deep.white_is_zero(image)))
    return _over_white(image)


def _over_white(image: Image.Image) -> Image.Image:
    image.load()  # whoever asks for its notes first is not told that it is damaged
    if image.has_transparency_data:
        # Of few modes it can be made at once.
        colours = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, colours).convert("RGB")
    if image.mode == "LAB":
        return _of_lab(image)
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _of_lab(image: Image.Image) -> Image.Image:
    profiles = (ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"))
    shown = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    assert shown is not None
    return shown


def _eight_bits(values: deep.Values, how: Decoding, mode: str = "", inverted: bool = False) -> Image.Image:
    """A deep image with eight bits; without a range the upper eight of sixteen."""
    real = values.dtype.kind == "f"
    known = how.reals if real else how.integers
    if known is not None:
        if real and not np.isfinite(values).any():
            raise UnreadableImage("no pixel is a number")
        shown = deep.shown(values, known)
        return shown.point(range(255, -1, -1)) if inverted and shown.mode == "L" else shown
    called = f"pixels of mode {mode or values.dtype}"
    if real:
        raise UnreadableImage(f"{called} are real numbers, and nobody has said which of them is white")
    if values.min() < 0 or values.max() > 0xFFFF:
        raise UnreadableImage(f"{called} are not 8- or 16-bit numbers")
    return Image.fromarray((values >> 8).astype(np.uint8))


def _warp(image: Image.Image, size: int) -> NDArray[np.uint8]:
    scale = (image.width / size, 0, 0, 0, image.height / size, 0)
    warped = image.transform((size, size), Image.Transform.AFFINE, scale, Image.Resampling.BILINEAR)
    return _rgb(warped)


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("RGB"))
