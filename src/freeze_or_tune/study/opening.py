"""How the files of a dataset are opened, as its study says. Pure Python, like `study.py`."""

from pydantic import Field, PositiveInt

from freeze_or_tune.study.strict import Strict


class Columns(Strict):
    """Which column of a table is what, where its header does not say so: a column's name, or its number from 1."""

    image: str | PositiveInt | None = Field(None, description="parquet: the images themselves")
    label: str | PositiveInt | None = Field(
        None, description="their classes; webdataset: a key of the .json, or an ending such as txt"
    )
    split: str | PositiveInt | None = Field(None, description="train, val or test")
    group: str | PositiveInt | None = Field(None, description="what belongs together on one side")


class Opening(Strict):
    """What all stages that read the images of a dataset must agree on; the paper's are opened as they are."""

    reader: str = ""
    columns: Columns = Columns()
    follow_links: bool = False


USUAL = Opening()
