"""`predict`: classify images with a model that the advice has made."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from freeze_or_tune.commands.options import AsJson
from freeze_or_tune.records.answers import as_csv, as_json, as_lines, printable
from freeze_or_tune.records.prediction import Prediction
from freeze_or_tune.system.errors import UserError

_TOP = 3
_NAMED = 10
"""Unreadable images that the error names."""


def predict(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", show_default=False, help="results/advice/NAME/model.safetensors, or its folder."
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE", show_default=False, help="Files of any size and usual format, or folders of them."
        ),
    ],
    top: Annotated[int, typer.Option(min=1, help="How many classes to name for each image.")] = _TOP,
    format: Annotated[
        Literal["lines", "csv", "json"], typer.Option(help="csv: a table with the probabilities of all classes.")
    ] = "lines",
    json: AsJson = False,
) -> None:
    """Classify images with a model of yours.

    The exit status is 1 if some cannot be read.

    Example: freeze-or-tune predict results/advice/birds/model.safetensors new
    """
    from freeze_or_tune.stages.model import Model  # noqa: PLC0415 - torch takes seconds

    loaded, chosen = Model.load(model), "json" if json else format
    found = loaded.stream(images, errors="keep", progress=not sys.stdout.isatty())
    heard = _Heard(found, aloud=chosen == "lines")
    texts = {"lines": as_lines(heard, top), "csv": as_csv(heard, loaded.labels), "json": as_json(heard, top)}
    for text in texts[chosen]:
        sys.stdout.write(text)
        sys.stdout.flush()
    if heard.bad:
        more = f" and {len(heard.bad) - _NAMED:,} more" if len(heard.bad) > _NAMED else ""
        names = ", ".join(map(printable, heard.bad[:_NAMED]))
        raise UserError(f"{len(heard.bad):,} of {heard.images:,} images could not be read: {names}{more}")


class _Heard:
    """Passes predictions on, and remembers which images could not be read; aloud: says so at once."""

    def __init__(self, predictions: Iterable[Prediction], aloud: bool) -> None:
        self.predictions, self.aloud = predictions, aloud
        self.images, self.bad = 0, list[str]()

    def __iter__(self) -> Iterator[Prediction]:
        for one in self.predictions:
            self.images += 1
            if one.error:
                self.bad.append(one.image)
                if self.aloud:
                    print(printable(one.error), file=sys.stderr)
            yield one
