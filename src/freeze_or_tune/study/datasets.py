"""The datasets of a study, as typed models: a reader, and the files that it reads. Pure Python, like `study.py`."""

import re
from math import isfinite
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from freeze_or_tune.study import hub
from freeze_or_tune.study.opening import Columns, Opening
from freeze_or_tune.study.settings import NAME
from freeze_or_tune.study.strict import Strict
from freeze_or_tune.system.errors import UserError

SMALLEST = "images of the smallest class, checked when indexed"
PACKED = ("parquet", "webdataset", "auto")
"""Readers that decide how files are opened."""
FETCHED = "resources/hub"
"""Where datasets of the Hugging Face Hub are fetched to."""
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


def _address(path: str) -> str:
    return hub.parse(path).address if hub.is_address(path) else path


def _fetched(path: str) -> str:
    """Where a path or an address of the Hub lies."""
    return f"{FETCHED}/{hub.parse(path).folder}" if hub.is_address(path) else path


ExpandedPath = Annotated[str, AfterValidator(_expanded)]
PathOrAddress = Annotated[ExpandedPath, AfterValidator(_address)]
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

    path: PathOrAddress = Field(
        description="from the directory you start snakemake in; ~ is your home; hf://<owner>/<name>: a dataset of the "
        "Hugging Face Hub"
    )
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

    columns: Columns = Field(Columns(), description="columns of a table, where their names do not tell")

    @property
    def files(self) -> tuple[str, ...]:
        """Where the images lie, or will when they have been fetched."""
        return (_fetched(self.path),)

    @property
    def opening(self) -> Opening:
        """How they are opened."""
        reader = getattr(self, "reader", "")
        return Opening(reader=reader if reader in PACKED else "", columns=self.columns, follow_links=self.follow_links)


class Folder(Images):
    """Your own images: a folder (or an archive) with one folder of images a class."""

    reader: Literal["folder"]


class Listed(Images):
    """Your own images: a table of files and labels, or a folder that holds one (metadata.csv, metadata.jsonl)."""

    reader: Literal["csv"]


class Parquet(Images):
    """Images in parquet files: one, or a folder of them."""

    reader: Literal["parquet"]


class WebDataset(Images):
    """Images in tars as WebDataset writes them: one, or a folder of them."""

    reader: Literal["webdataset"]


class InAnyForm(Images):
    """Images whose reader is found by what is there."""

    reader: Literal["auto"]


class OwnImages(Images):
    """Your own images as `images` gives them: the reader is found by what is there, if it is not said."""

    reader: Literal["folder", "csv", "parquet", "webdataset", "auto"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, images: Any) -> Any:
        return {"path": images} if isinstance(images, str) else images

    @property
    def said(self) -> dict[str, Any]:
        """How to read them, as far as it is said."""
        return {
            key: getattr(self, key) for key in ("follow_links", "orientation", "range") if key in self.model_fields_set
        }


class Published(Strict):
    """A dataset of the paper, as its authors pack it."""

    reader: Literal["caltech-256", "sun397", "mit-indoor", "cub-200", "plankton"]
    files: tuple[ExpandedPath, ...] = Field(
        min_length=1,
        description="its archives and lists, from the directory you start snakemake in; what config/downloads.csv "
        "lists is downloaded under its path, resources/downloads/<dataset>/<file>",
    )
    smallest_class: PositiveInt | None = Field(None, description="images of the smallest class, if known")
    alternatives: tuple["Alternative", ...] = Field(
        (),
        description="other sets of files with the same images, each with a reader: taken in order, the first that is "
        "there or can be fetched",
    )

    @model_validator(mode="after")
    def _flat(self) -> Self:
        if any(getattr(other, "alternatives", ()) for other in self.alternatives):
            raise ValueError("alternatives have none of their own; list them one after the other")
        return self

    @property
    def choices(self) -> tuple["Alternative", ...]:
        """The sets of files, in order."""
        return (self.model_copy(update={"alternatives": ()}), *self.alternatives)

    @property
    def opening(self) -> Opening:
        """How they are opened: a folder as the archive that was unpacked to it."""
        return Opening(rooted=True)


class Corals(Published):
    """Moorea Labeled Corals: points in photos, of which the surroundings are cut out."""

    reader: Literal["corals"]  # type: ignore[assignment]
    patch: PositiveInt = Field(224, description="side in pixels of what is cut out around a point")


class ImageNet(Published):
    """ILSVRC2012, or one of Yosinski's halves of its classes."""

    reader: Literal["ilsvrc2012"]  # type: ignore[assignment]
    half: Literal["A", "B"] | None = Field(None, description="500A or 500B, the halves of Yosinski et al. 2014")


class SunParquet(Strict):
    """SUN397 in parquet files, whose classes are called as in its official list: /a/abbey."""

    reader: Literal["sun397-parquet"]
    path: PathOrAddress = Field(description="a file or a folder, or hf://<owner>/<name> on the Hugging Face Hub")
    smallest_class: PositiveInt | None = Field(None, description="images of the smallest class, if known")

    @property
    def files(self) -> tuple[str, ...]:
        """Where the images lie, or will when they have been fetched."""
        return (_fetched(self.path),)

    @property
    def opening(self) -> Opening:
        """How they are opened."""
        return Opening(reader="parquet")


Alternative = Annotated[
    Folder | Listed | Parquet | WebDataset | SunParquet | Published | Corals | ImageNet, Field(discriminator="reader")
]
for _model in (Published, Corals, ImageNet):
    _model.model_rebuild()

Dataset = Annotated[
    Glyphs
    | Digits
    | SolarCells
    | Crops
    | Folder
    | Listed
    | Parquet
    | WebDataset
    | InAnyForm
    | SunParquet
    | Published
    | Corals
    | ImageNet,
    Field(discriminator="reader"),
]


_OWN: dict[str, type[Folder | Listed | Parquet | WebDataset | InAnyForm]] = {
    "folder": Folder, "csv": Listed, "parquet": Parquet, "webdataset": WebDataset, "auto": InAnyForm
}  # fmt: skip


def own_images(name: str, images: OwnImages) -> Folder | Listed | Parquet | WebDataset | InAnyForm:
    """The dataset that the study's key `images` adds; UserError if the name cannot be one or nothing is there."""
    if not re.fullmatch(NAME, name):
        raise UserError(f"{name!r} cannot name your images: take letters, digits, dots, dashes and underscores")
    path = images.path if hub.is_address(images.path) else str(PurePath(images.path))
    if not hub.is_address(path) and not Path(path).exists():
        raise UserError(
            f"images: {path} does not exist; give a folder (or zip, or tar) of class folders, a CSV, parquet files, or "
            "hf://<owner>/<name>"
        )
    return _OWN[images.reader](**images.model_dump(exclude_unset=True) | {"reader": images.reader, "path": path})
