"""The datasets of a study, as typed models: a reader, and the files that it reads. Pure Python, like `study.py`."""

import re
from pathlib import Path, PurePath
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt

from freeze_or_tune.study.opening import Opening
from freeze_or_tune.study.settings import NAME
from freeze_or_tune.study.strict import Strict
from freeze_or_tune.system.errors import UserError

SMALLEST = "images of the smallest class, checked when indexed"
TABLES = {".csv", ".jsonl", ".ndjson", ".tsv", ".txt"}
"""Suffixes of tables of files and labels."""
METADATA = ("metadata.csv", "metadata.jsonl")
"""What `imagefolder` of the Hugging Face Hub calls its tables, one for all or one in each folder of a split."""
_HEADER = 1 << 16
"""Bytes of a table's first line that are looked at."""
CROP = 48
"""Pixels a side of the crops that a photograph is cut into."""


def _expanded(path: str) -> str:
    """`~` as a shell has it: what snakemake is given inside quotes, or in a file, no shell has seen."""
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:
        raise ValueError("there is no such home") from None


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


def _plain(column: object) -> object:
    """What is meant: inside `--config key={...}` Snakemake takes everything for text."""
    if column in ("", "null"):
        return None
    return int(column) if isinstance(column, str) and column.isdecimal() else column


Column = Annotated[str | PositiveInt | None, BeforeValidator(_plain)]


class GivenColumns(Strict):
    """Which column of a table is what, where its header does not say so: a column's name, or its number from 1."""

    path: Column = Field(None, description="the files")
    label: Column = Field(None, description="their classes")
    split: Column = Field(None, description="train, val, test or nothing; null: none of them")
    group: Column = Field(None, description="what belongs together on one side; null: none of them")


class Images(Strict):
    """One's own images, and how to read them."""

    path: ExpandedPath = Field(description="from the directory you start snakemake in; ~ is your home")
    smallest_class: PositiveInt | None = Field(None, description="images of the smallest class, if known")
    follow_links: bool = Field(False, description="read links that lead out of the folder, too")
    orientation: Literal["exif", "stored"] = Field(
        "exif", description="exif: turned as the camera noted and every viewer shows it; stored: as the pixels lie"
    )
    range: Literal["auto"] | tuple[float, float] = Field(
        "auto",
        description="black and white of images with more than 8 bits, or of real numbers; auto: the bits that the "
        "dataset really uses",
    )

    @property
    def files(self) -> tuple[str, ...]:
        """Where the images lie."""
        return (self.path,)

    @property
    def opening(self) -> Opening:
        """How they are opened."""
        return Opening(follow_links=self.follow_links)


class Folder(Images):
    """Your own images: a folder (or an archive) with one folder of images a class."""

    reader: Literal["folder"]


class Listed(Images):
    """Your own images: a table of files and labels, or a folder that holds one (metadata.csv, metadata.jsonl)."""

    reader: Literal["csv"]
    columns: GivenColumns | None = Field(None, description="which column is what, where the header leaves it in doubt")

    @property
    def opening(self) -> Opening:
        """How they are opened."""
        said = self.columns and self.columns.model_dump(exclude_unset=True)
        return Opening(follow_links=self.follow_links, columns=said)


class OwnImages(Images):
    """Your own images as `images` gives them: the reader is found by what is there, if it is not said."""

    reader: Literal["folder", "csv"] | None = None
    columns: GivenColumns | None = Field(None, description="of a table: which column is what")


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
    reader = images.reader or ("csv" if images.columns or _is_table(Path(path)) else "folder")
    if reader == "folder" and images.columns:
        raise UserError(f"images: columns are those of a table, but {path} is read as a folder of class folders")
    given = images.model_dump(exclude_unset=True) | {"reader": reader, "path": str(path)}
    return Listed(**given) if reader == "csv" else Folder(**given)


def _is_table(path: Path) -> bool:
    """Whether it is a table of files and labels, or a folder with one as `imagefolder` of the Hugging Face Hub has."""
    if not path.is_dir():
        return path.suffix.lower() in TABLES
    return any(_names_files(found) for name in METADATA for found in (path / name, *path.glob(f"*/{name}")))


def _names_files(table: Path) -> bool:
    try:
        with table.open("rb") as file:
            return b"file_name" in file.readline(_HEADER)
    except OSError:
        return False
