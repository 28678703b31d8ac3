"""`predict`: classify images with a model that the advice has made."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from freeze_or_tune.commands import Commands
from freeze_or_tune.system.errors import UserError

_TOP = 3


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("predict", help="classify images with a model.safetensors")
    parser.add_argument("model", type=Path, help="results/advice/<dataset>/model.safetensors")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="files of any size and usual format")
    parser.add_argument("--top", type=int, default=_TOP, help=f"how many classes to name for each image ({_TOP})")
    parser.add_argument("--json", action="store_true", help="print one JSON list instead of lines")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the likeliest classes of each image; UserError, at the end, if some could not be read."""
    from freeze_or_tune.stages.deployed import Deployed, read_image  # noqa: PLC0415 - torch takes seconds

    deployed, use = Deployed.load(arguments.model)
    found: list[dict[str, Any]] = []
    for path in arguments.images:
        try:
            (probabilities,) = deployed.classify(read_image(path, deployed.size)[None])
        except UserError as error:
            found.append({"image": str(path), "error": str(error)})
        else:
            best = probabilities.argsort()[::-1][: max(1, arguments.top)]
            found.append({
                "image": str(path),
                "classes": [{"label": use.labels[i], "probability": float(probabilities[i])} for i in best],
            })  # fmt: skip
        if not arguments.json:
            _print(found[-1])
    if arguments.json:
        print(json.dumps(found, indent=1))
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
