"""Arguments and options that several commands share."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from freeze_or_tune.system.errors import UserError

Studies = Annotated[
    list[str] | None,
    typer.Option(
        "--study", "--configfile", metavar="FILE", show_default="config/config.yaml, or the one that ships",
        help="The study: a file, or the name of one that ships. Of several, each adds to those before it.",
    ),
]  # fmt: skip
Directory = Annotated[
    Path, typer.Option(metavar="DIR", show_default="here", help="Where resources/ and results/ lie.", file_okay=False)
]
Cores = Annotated[int | None, typer.Option(min=1, show_default="all", help="How many processors to use.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")]

_UNITS = {"": 1.0, "m": 1.0, "min": 1.0, "s": 1 / 60, "h": 60.0}


def bounds(text: str) -> Literal["auto"] | tuple[float, float]:
    """A range such as 0,4095, or auto; UserError if it is something else."""
    if text.strip() == "auto":
        return "auto"
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise UserError(
            f"{text!r} is no range; write what is black and what is white, such as 0,4095, or auto"
        ) from None
    return low, high


def minutes(text: str) -> float:
    """A time such as 3m, 90s, 1.5h or 0, in minutes; a number alone is minutes. UserError if it is something else."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+) *(s|m|min|h|)", text.strip())
    if found is None:
        raise UserError(f"{text!r} is not a time; write 3m, 90s, 1h, or 0 for no race")
    return float(found[1]) * _UNITS[found[2]]
