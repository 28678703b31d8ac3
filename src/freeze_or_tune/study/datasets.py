"""The datasets of a study, as typed models: a reader, and the files that it reads. Pure Python, like `study.py`."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from freeze_or_tune.study.images import (
    ExpandedPath,
    Folder,
    InAnyForm,
    Listed,
    Parquet,
    PathOrAddress,
    WebDataset,
    fetched,
)
from freeze_or_tune.study.opening import Opening
from freeze_or_tune.study.strict import Strict

SMALLEST = "images of the smallest class, checked when indexed"
CROP = 48
"""Pixels a side of the crops that a photograph is cut into."""


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
        return (fetched(self.path),)

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
