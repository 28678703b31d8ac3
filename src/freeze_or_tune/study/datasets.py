"""The datasets of a study, as typed models: a reader, and the files that it reads. Pure Python, like `study.py`."""

import re
from math import isfinite
from pathlib import Path, PurePath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt

from freeze_or_tune.study.settings import NAME
from freeze_or_tune.study.strict import Strict
from freeze_or_tune.system.errors import UserError

SMALLEST = "images of the smallest class, checked when indexed"
CROP = 48
"""Pixels a side of the crops that a photograph is cut into."""


def _expanded(path: str) -> str:
    """`~` as a shell has it: what snakemake is given inside quotes, or in a file, no shell has seen."""
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:
        raise ValueError("there is no such home") from None


def _from_black_to_white(values: tuple[float, float]) -> tuple[float, float]:
    black, white = values
    if not (isfinite(black) and isfinite(white) and black < white):
        raise ValueError("say two numbers, the one that is black and then the larger one that is white")
    return values


ExpandedPath = Annotated[str, AfterValidator(_expanded)]
Alphabet = Literal[
    "latin-a", "latin-b", "greek", "cyrillic", "armenian", "georgian", "mathematics", "arrows", "braille", "chess"
]  # fmt: skip


class Glyphs(Strict):
    """Letters rendered from the fonts that ship with matplotlib."""

    reader: Literal["glyphs"]
    alphabet: Alphabet
    images: PositiveInt = Field(130, description="images rendered for each class")

    @property
    def smallest_class(self) -> int:
        """Images of the smallest class."""
        return self.images

    @property
    def files(self) -> tuple[str, ...]:
        """Where the images lie."""
        return (f"resources/builtin/{self.alphabet}-{self.images}.zip",)


class Digits(Strict):
    """The handwritten digits that ship with scikit-learn."""

    reader: Literal["digits"]
    smallest_class: PositiveInt = Field(174, description=SMALLEST)

    @property
    def files(self) -> tuple[str, ...]:
        """Where the images lie."""
        return ("resources/builtin/digits.zip",)


class SolarCells(Strict):
    """ELPV: photographs of solar cells, {mono, poly} x {intact, defective}."""

    reader: Literal["solar-cells"]
    smallest_class: PositiveInt = Field(313, description=SMALLEST)

    @property
    def files(self) -> tuple[str, ...]:
        """Where the images lie: the wheel itself, nothing of it is installed."""
        return ("resources/downloads/elpv/elpv_dataset-1.0.0.post1-py3-none-any.whl",)


class Crops(Strict):
    """Crops of the pictures that ship with scikit-image, side by side: which picture is this one from?"""

    reader: Literal["photographs", "textures", "specimens"]

    @property
    def smallest_class(self) -> int:
        """Images of the smallest class."""
        return 48 if self.reader == "photographs" else 100

    @property
    def files(self) -> tuple[str, ...]:
        """Where the images lie: the wheel itself, nothing of it is installed; the same one on all systems."""
        wheel = "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl"
        return (f"resources/downloads/scikit-image/{wheel}",)

    @property
    def patch(self) -> int:
        """Side in pixels of a crop."""
        return CROP


class Images(Strict):
    """One's own images, and how to read them."""

    path: ExpandedPath = Field(description="from the directory you start snakemake in; ~ is your home")
    smallest_class: PositiveInt | None = Field(None, description="images of the smallest class, if known")
    follow_links: bool = Field(False, description="read links that lead out of the folder, too")
    orientation: Literal["exif", "stored"] = Field(
        "exif", description="exif: turned as the camera noted and every viewer shows it; stored: as the pixels lie"
    )
    range: Literal["auto"] | Annotated[tuple[float, float], AfterValidator(_from_black_to_white)] = Field(
        "auto",
        description="black and white of images with more than 8 bits, or of real numbers; auto: the bits that the "
        "dataset really uses",
    )

    @property
    def files(self) -> tuple[str, ...]:
        """Where the images lie."""
        return (self.path,)


class Folder(Images):
    """Your own images: a folder (or an archive) with one folder of images a class."""

    reader: Literal["folder"]


class Listed(Images):
    """Your own images: a table of files and labels."""

    reader: Literal["csv"]


class OwnImages(Images):
    """Your own images as `images` gives them: the reader is found by what is there, if it is not said."""

    reader: Literal["folder", "csv"] | None = None


class Published(Strict):
    """A dataset of the paper, as its authors pack it."""

    reader: Literal["caltech-256", "sun397", "mit-indoor", "cub-200", "plankton"]
    files: tuple[ExpandedPath, ...] = Field(
        min_length=1,
        description="its archives and lists, from the directory you start snakemake in; what config/downloads.csv "
        "lists is downloaded under its path, resources/downloads/<dataset>/<file>",
    )
    smallest_class: PositiveInt | None = Field(None, description="images of the smallest class, if known")


class Corals(Published):
    """Moorea Labeled Corals: points in photos, of which the surroundings are cut out."""

    reader: Literal["corals"]  # type: ignore[assignment]
    patch: PositiveInt = Field(224, description="side in pixels of what is cut out around a point")


class ImageNet(Published):
    """ILSVRC2012, or one of Yosinski's halves of its classes."""

    reader: Literal["ilsvrc2012"]  # type: ignore[assignment]
    half: Literal["A", "B"] | None = Field(None, description="500A or 500B, the halves of Yosinski et al. 2014")


Dataset = Annotated[
    Glyphs | Digits | SolarCells | Crops | Folder | Listed | Published | Corals | ImageNet,
    Field(discriminator="reader"),
]


def own_images(name: str, images: OwnImages) -> Folder | Listed:
    """The dataset that the study's key `images` adds; UserError if the name cannot be one or nothing is there."""
    if not re.fullmatch(NAME, name):
        raise UserError(f"{name!r} cannot name your images: take letters, digits, dots, dashes and underscores")
    path = PurePath(images.path)
    if not Path(path).exists():
        raise UserError(f"images: {path} does not exist; give a folder (or zip, or tar) of class folders, or a CSV")
    reader = images.reader or ("csv" if path.suffix.lower() == ".csv" else "folder")
    given = images.model_dump(exclude_unset=True) | {"reader": reader, "path": str(path)}
    return Listed(**given) if reader == "csv" else Folder(**given)
