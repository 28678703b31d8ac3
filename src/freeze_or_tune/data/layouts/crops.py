"""Crops of the pictures that scikit-image ships: each picture is a class, its crops stand side by side."""

import io
from pathlib import PurePosixPath

from PIL import Image

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, locate
from freeze_or_tune.data.patches import point_name
from freeze_or_tune.study.datasets import CROP

PICTURES = {
    "photographs": (
        "astronaut.png", "camera.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png",
        "motorcycle_left.png", "rocket.jpg",
    ),
    "textures": ("brick.png", "grass.png", "gravel.png"),
    "specimens": ("cell.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "retina.jpg"),
}  # fmt: skip
"""By the name of the dataset's reader: of things, of surfaces, and from microscopes, telescopes and clinics."""


def read_photographs(archive: Archive) -> list[Listing]:
    """Photographs of people, animals and things."""
    return _crops(archive, "photographs")


def read_textures(archive: Archive) -> list[Listing]:
    """Surfaces, seen from above."""
    return _crops(archive, "textures")


def read_specimens(archive: Archive) -> list[Listing]:
    """What microscopes, telescopes and clinics see."""
    return _crops(archive, "specimens")


def _crops(archive: Archive, kind: str) -> list[Listing]:
    """All crops that do not overlap, as points `<picture>@<row>,<column>`; UserError if a picture is not there."""
    listings = []
    for file in PICTURES[kind]:
        name = locate(archive, f"data/{file}", f"the dataset of {kind}")
        with Image.open(io.BytesIO(archive.read(name))) as picture:
            width, height = picture.size
        centres = [range(CROP // 2, side - CROP // 2 + 1, CROP) for side in (height, width)]
        label = PurePosixPath(file).stem
        listings += [Listing(point_name(name, row, column), label) for row in centres[0] for column in centres[1]]
    return listings
