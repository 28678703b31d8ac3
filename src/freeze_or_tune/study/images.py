"""One's own images in a study, as typed models: where they lie, and how they are read. Pure Python, like `study.py`."""

import re
from math import isfinite
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from freeze_or_tune.study import hub
from freeze_or_tune.study.opening import Columns, Opening
from freeze_or_tune.study.settings import NAME
from freeze_or_tune.study.strict import Strict
from freeze_or_tune.system.errors import UserError

PACKED = ("parquet", "webdataset", "auto")
"""Readers that decide how files are opened."""
FETCHED = "resources/hub"
"""Where datasets of the Hugging Face Hub are fetched to."""


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


def fetched(path: str) -> str:
    """Where a path lies, or what an address of the Hub is fetched to."""
    return f"{FETCHED}/{hub.parse(path).folder}" if hub.is_address(path) else path


ExpandedPath = Annotated[str, AfterValidator(_expanded)]
PathOrAddress = Annotated[ExpandedPath, AfterValidator(_address)]


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
        return (fetched(self.path),)

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
