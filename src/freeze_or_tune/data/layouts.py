"""How each dataset arranges its images: one small reader each."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.errors import UserError

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
SUBSETS = {"test", "train", "training", "val", "valid", "validation"}


@dataclass(frozen=True)
class Listing:
    """One image of a dataset."""

    image: str
    """Path in the archive."""
    class_name: str
    subset: str = ""
    """The official train or test, if the dataset has such."""
    group: str = ""
    """Images of one group show the same thing, if the dataset says so."""


def read_folder(archive: Archive) -> list[Listing]:
    """One folder of images a class, perhaps inside another folder; UserError if there are not two classes."""
    images = [name for name in archive.names() if _is_image(name)]
    if not images:
        raise UserError(f"{archive.path} holds no images; it needs one folder of images a class")
    # A zip is often made of the folder itself, so the classes may lie deeper than the top.
    depth = _shared_depth([PurePosixPath(name).parent.parts for name in images])
    listings = [Listing(name, _class_of(name, depth)) for name in images]
    classes = sorted({listing.class_name for listing in listings})
    if len(classes) < 2:
        raise UserError(f"{archive.path} holds only one folder of images; it needs one a class, and two classes")
    stray = [listing.image for listing in listings if not listing.class_name]
    if stray:
        raise UserError(f"{archive.path}: {stray[0]!r} is in no folder of a class; move it to one, or away")
    if SUBSETS.issuperset(name.lower() for name in classes):
        raise UserError(
            f"{archive.path} holds the folders {', '.join(classes)}, which are subsets and not classes; "
            "put all images of a class into one folder, the splits are drawn from there"
        )
    return listings


def read_solar_cells(archive: Archive) -> list[Listing]:
    """ELPV: mono- and polycrystalline cells, surely intact or surely defective; unsure ones are left out."""
    labels = next((name for name in archive.names() if name.endswith("data/labels.csv")), None)
    if labels is None:
        raise UserError(f"{archive.path} has no data/labels.csv; it is not the ELPV dataset")
    folder = PurePosixPath(labels).parent
    states = {0.0: "intact", 1.0: "defective"}
    # Columns separated by spaces: image, probability of a defect (0, 1/3, 2/3 or 1), kind of cell.
    rows = csv.reader(archive.read(labels).decode("utf-8").splitlines(), delimiter=" ", skipinitialspace=True)
    return [
        Listing(str(folder / image), f"{kind}-{states[float(probability)]}")
        for image, probability, kind in rows
        if float(probability) in states
    ]


READERS: dict[str, Callable[[Archive], list[Listing]]] = {
    "glyphs": read_folder,
    "digits": read_folder,
    "folder": read_folder,
    "solar-cells": read_solar_cells,
}


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not hidden and path.suffix.lower() in SUFFIXES


def _shared_depth(parents: list[tuple[str, ...]]) -> int:
    """How many leading folders all images share."""
    first, last = min(parents), max(parents)
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def _class_of(name: str, depth: int) -> str:
    """The folder below the shared ones, or nothing if the image is not in one."""
    folders = PurePosixPath(name).parent.parts[depth:]
    return folders[0] if folders else ""
