"""`predict`: classify images with a model that the advice has made."""

import sys
from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from freeze_or_tune.commands.options import AsJson
from freeze_or_tune.system.errors import UserError

_TOP = 3


def predict(
    model: Annotated[Path, typer.Argument(show_default=False, help="results/advice/NAME/model.safetensors")],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", show_default=False, help="Files of any size and usual format.")
    ],
    top: Annotated[int, typer.Option(min=1, help="How many classes to name for each image.")] = _TOP,
    json: AsJson = False,
) -> None:
    """Classify images with a model of yours.

    The exit status is 1 if some cannot be read.

    Example: freeze-or-tune predict results/advice/birds/model.safetensors new
    """
    from freeze_or_tune.stages.deployed import Deployed, read_image  # noqa: PLC0415 - torch takes seconds

    deployed, use = Deployed.load(model)
    found: list[dict[str, Any]] = []
    for path in images:
        try:
            (probabilities,) = deployed.classify(read_image(path, deployed.size)[None])
        except UserError as error:
            found.append({"image": str(path), "error": str(error)})
        else:
            best = probabilities.argsort()[::-1][:top]
            found.append({
                "image": str(path),
                "classes": [{"label": use.labels[i], "probability": float(probabilities[i])} for i in best],
            })  # fmt: skip
        if not json:
            _print(found[-1])
    if json:
        print(dumps(found, indent=1))
    bad = [entry["image"] for entry in found if "error" in entry]
    if bad:
        raise UserError(f"{len(bad)} of {len(found)} images could not be read: {', '.join(map(_printable, bad))}")


def _print(entry: dict[str, Any]) -> None:
    if "error" in entry:
        print(_printable(entry["error"]), file=sys.stderr)
        return
    classes = (f"{_printable(c['label'])} {100 * c['probability']:.1f} %" for c in entry["classes"])
    print(f"{_printable(entry['image'])}: {', '.join(classes)}")


def _printable(text: str) -> str:
    """The text itself, or escapes if it holds line breaks or bytes that are no text."""
    return text if text.isprintable() else repr(text)
