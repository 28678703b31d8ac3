"""Images as people hand them to a model: files, folders, pictures of Pillow, arrays."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from freeze_or_tune.data.archives import open_archive, read_file
from freeze_or_tune.data.decoding import FORMATS, UnreadableImage, decode, decode_picture, decode_values
from freeze_or_tune.data.layouts.listing import pictures_of
from freeze_or_tune.records.decoding import CAFFE, Decoding
from freeze_or_tune.system.errors import UserError

Picture: TypeAlias = str | os.PathLike[str] | Image.Image | NDArray[Any]
"""A file, a folder of files, an image of Pillow's, or an array of pixels."""
Pictures: TypeAlias = Picture | Iterable[Picture]

_COLOURS = (3, 4)
"""Channels of an array: RGB, and RGB with opacity."""


@dataclass(frozen=True, eq=False)
class Given:
    """One image and what it is called."""

    name: str
    image: Path | Image.Image | NDArray[Any]

    def pixels(self, size: int, how: Decoding = CAFFE) -> NDArray[np.uint8]:
        """The image as training sees it, uint8 [size, size, 3]; UserError says why it cannot be read."""
        try:
            if isinstance(self.image, Path):
                return decode(read_file(self.image), size, how)
            if isinstance(self.image, Image.Image):
                return decode_picture(self.image, size, how)
            return _of_array(self.image, size, how)
        except UnreadableImage as error:
            raise UserError(f"cannot read {self.name}: {error}") from None


def given(pictures: Pictures) -> Iterator[Given]:
    """One after the other, as they are asked for; of a folder all images in it, by name.

    What has no name is called by its number in this order, from 0. UserError if a folder holds none, TypeError if
    something can be no image.
    """
    number = 0
    for picture in _each(pictures):
        for one in _found(picture, number):
            yield one
            number += 1


def _each(pictures: Pictures) -> Iterable[Any]:
    if isinstance(pictures, np.ndarray):
        return pictures if pictures.ndim == 4 else [pictures]
    if isinstance(pictures, str | os.PathLike | Image.Image) or not isinstance(pictures, Iterable):
        return [pictures]
    return pictures


def _found(picture: Any, number: int) -> Iterable[Given]:
    if isinstance(picture, np.ndarray):
        return [Given(f"image {number}", picture)]
    if isinstance(picture, Image.Image):
        return [Given(str(getattr(picture, "filename", "")) or f"image {number}", picture)]
    if not isinstance(picture, str | os.PathLike):
        raise TypeError(
            f"image {number} is of type {type(picture).__name__}; give paths, images of Pillow or arrays of numpy"
        )
    path = Path(picture)
    return _inside(path) if path.is_dir() else [Given(str(path), path)]


def _inside(folder: Path) -> Iterable[Given]:
    with open_archive(folder) as archive:
        names = pictures_of(archive)
    if not names:
        raise UserError(f"{folder} holds no images ({' '.join(FORMATS)})")
    return [Given(str(folder / name), folder / name) for name in names]


def _of_array(pixels: NDArray[Any], size: int, how: Decoding) -> NDArray[np.uint8]:
    """An array as the image that it would be as a file; UnreadableImage if that is not sure."""
    grey, colour = pixels.ndim == 2, pixels.ndim == 3 and pixels.shape[2] in _COLOURS
    if pixels.size and (grey or colour):
        if pixels.dtype == np.uint8:
            return decode_picture(Image.fromarray(pixels), size, how)
        deep = pixels.dtype == np.uint16 and (grey or how.integers)
        if deep or (pixels.dtype in (np.float32, np.float64) and how.reals):
            return decode_values(pixels, size, how)
    scaled = "; of numbers from 0 to 1 make (255 * array).round().astype('uint8')" if pixels.dtype.kind == "f" else ""
    raise UnreadableImage(
        f"an array {list(pixels.shape)} of {pixels.dtype}; give uint8 [height, width], [height, width, 3] in RGB or "
        f"[height, width, 4] with opacity, or uint16 [height, width]{scaled}"
    )
