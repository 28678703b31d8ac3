"""Which test images a run got right, packed into text: one bit an image, in the order of the split's test images."""

import base64
import binascii
from collections.abc import Iterable


def pack(correct: Iterable[bool]) -> str:
    """Base64 of the bits, the first image in the highest bit; the last byte is filled up with zeros."""
    bits = "".join("1" if right else "0" for right in correct)
    size = -(-len(bits) // 8)
    return base64.b64encode(int(bits.ljust(8 * size, "0") or "0", 2).to_bytes(size)).decode()


def unpack(text: str, images: int) -> list[bool]:
    """The bits of so many images; ValueError if the text is not that of `pack` for as many."""
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not base64") from None
    if len(packed) != -(-images // 8):
        raise ValueError(f"it holds {len(packed)} bytes, but {images} images need {-(-images // 8)}")
    bits = f"{int.from_bytes(packed):0{8 * len(packed)}b}"
    if "1" in bits[images:]:
        raise ValueError(f"it marks images after the last of {images}")
    return [bit == "1" for bit in bits[:images]]


def check(text: str, images: int, accuracy: float) -> None:
    """ValueError unless the text is that of so many images, of which the fraction `accuracy` is right."""
    right = sum(unpack(text, images))
    if abs(right / images - accuracy) > 1e-9:
        raise ValueError(f"{right} of {images} images are right, but the accuracy is {accuracy}")
