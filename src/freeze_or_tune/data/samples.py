"""A contact sheet of a dataset: what its images look like, for people."""

from pathlib import Path

import numpy as np
from PIL import Image

from freeze_or_tune.data.index import read_index
from freeze_or_tune.data.store import Store
from freeze_or_tune.system.errors import SpoiltFile
from freeze_or_tune.system.files import replacing
from freeze_or_tune.system.hashing import stable_digest

CLASSES = 8
IMAGES = 3
SIDE = 64
"""Pixels of an image on the sheet: a page holds the sheets of all datasets of a study."""
GAP = 4


def contact_sheet(store: Path, index: Path, destination: Path, *, dataset: str) -> None:
    """Write a PNG of stored images, a column a class, at most CLASSES x IMAGES of them, drawn by hash.

    Gaps are transparent. UserError if no stored image is in the index.
    """
    images = Store(store)
    columns = _drawn(index, set(images.names), dataset)
    if not columns:
        raise SpoiltFile(f"no image of {store} is in {index}", "the store")
    height, width = (SIDE * count + GAP * (count - 1) for count in (max(map(len, columns)), len(columns)))
    sheet = Image.new("RGBA", (width, height))
    for x, names in enumerate(columns):
        for y, pixels in enumerate(images.images(names)):
            sheet.paste(_thumbnail(pixels), (x * (SIDE + GAP), y * (SIDE + GAP)))
    with replacing(destination) as temporary:
        sheet.save(temporary, optimize=True)


def _drawn(index: Path, stored: set[str], dataset: str) -> list[list[str]]:
    """Names of a few stored images of a few classes: the first ones in the order of a hash."""
    classes: dict[str, list[str]] = {}
    for listing in read_index(index):
        if listing.image in stored:
            classes.setdefault(listing.class_name, []).append(listing.image)
    chosen = sorted(classes, key=lambda name: stable_digest("samples", dataset, name))[:CLASSES]
    return [
        sorted(classes[name], key=lambda image: stable_digest("samples", dataset, name, image))[:IMAGES]
        for name in sorted(chosen)
    ]


def _thumbnail(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
