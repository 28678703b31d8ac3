"""How the files of a dataset are opened, as its study says. Pure Python, like `study.py`."""

from collections.abc import Mapping
from typing import Literal

from freeze_or_tune.study.strict import Strict

Role = Literal["path", "label", "split", "group"]
Columns = Mapping[Role, str | int | None]
"""Which column of a table is what: its name, its number from 1, or None: there is none."""


class Opening(Strict):
    """What all stages that read the images of a dataset must agree on; the paper's are opened as they are."""

    follow_links: bool = False
    columns: Columns | None = None


USUAL = Opening()
