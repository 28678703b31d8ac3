"""How the files of a dataset are opened, as its study says. Pure Python, like `study.py`."""

from typing import Annotated

from pydantic import BeforeValidator, Field, PositiveInt

from freeze_or_tune.study.strict import Strict


def _plain(column: object) -> object:
    """What is meant: inside `--config key={...}` Snakemake takes everything for text."""
    if column in ("", "null"):
        return None
    return int(column) if isinstance(column, str) and column.isdecimal() else column


Column = Annotated[str | PositiveInt | None, BeforeValidator(_plain)]


class Columns(Strict):
    """Which column of a table is what, where its header does not say so: a column's name, or its number from 1."""

    image: Column = Field(None, description="parquet: the images themselves")
    path: Column = Field(None, description="csv: the images' files")
    label: Column = Field(None, description="their classes; webdataset: a key of the .json, or an ending such as txt")
    split: Column = Field(None, description="train, val or test; null, if said: no column is")
    group: Column = Field(None, description="what belongs together on one side; null, if said: no column is")


class Opening(Strict):
    """What all stages that read the images of a dataset must agree on."""

    reader: str = ""
    columns: Columns = Columns()
    follow_links: bool = False
    rooted: bool = False
    """Whether the names in a folder begin with its own, as in the archive that was unpacked to it."""

    @property
    def said(self) -> dict[str, str | int | None]:
        """What is said of a table's columns, also that there is none; `image` is as good as `path`."""
        said = self.columns.model_dump(exclude_unset=True)
        image = said.pop("image", None)
        return said if image is None else {"path": image} | said


USUAL = Opening()
