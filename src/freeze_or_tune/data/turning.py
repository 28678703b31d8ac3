"""Which way up a photograph is: what its camera has noted, as every viewer heeds it."""

from PIL import Image

_TAG = 0x0112
_INVERSE = {6: 8, 8: 6}
_METHODS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation, 1 (upright) to 8; 1 where it is not said, or in a way that nobody understands."""
    try:
        value = image.getexif().get(_TAG, 1)
    except Exception:  # a broken note is none, and makes no image unreadable
        return 1
    return value if value in tuple(_METHODS) else 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """An image as stored, shown as EXIF's orientation says."""
    return image.transpose(_METHODS[orientation]) if orientation in _METHODS else image


def undone(image: Image.Image, orientation: int) -> Image.Image:
    """An image that is shown as orientation says, as it is stored."""
    return turned(image, _INVERSE.get(orientation, orientation))
