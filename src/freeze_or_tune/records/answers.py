"""Predictions as text: lines for people, CSV and JSON for programs; piece by piece, so that any number can be written.

What a file or a label is called may hold anything: a line stays one line, and bytes that are no text become escapes.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from freeze_or_tune.records.prediction import Prediction, columns, rows
from freeze_or_tune.system.text import valid


def as_lines(predictions: Iterable[Prediction], most: int) -> Iterator[str]:
    """A line an image with its likeliest labels; those that could not be read have none."""
    for one in predictions:
        if not one.error:
            named = (f"{printable(label)} {100 * share:.1f} %" for label, share in one.likeliest(most))
            yield f"{printable(one.image)}: {', '.join(named)}\n"


def as_csv(predictions: Iterable[Prediction], labels: Sequence[str]) -> Iterator[str]:
    """A header, and a row an image: the columns of `Predictions.to_frame`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(valid(name) for name in columns(labels))
    yield buffer.getvalue()
    for row in rows(predictions, labels):
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(valid(cell) if isinstance(cell, str) else cell for cell in row)
        yield buffer.getvalue()


def as_json(predictions: Iterable[Prediction], most: int) -> Iterator[str]:
    """One list, with an object an image: its likeliest labels, or why it could not be read."""
    before = "[\n"
    for one in predictions:
        yield before + _indented(_entry(one, most))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def printable(text: str) -> str:
    """The text itself, or escapes if it holds line breaks or bytes that are no text."""
    return text if text.isprintable() else repr(text)


def _entry(one: Prediction, most: int) -> dict[str, Any]:
    if one.error:
        return {"image": one.image, "error": one.error}
    classes = [{"label": label, "probability": share} for label, share in one.likeliest(most)]
    return {"image": one.image, "classes": classes}


def _indented(entry: dict[str, Any]) -> str:
    """As `json.dumps` indents it within a list."""
    return " " + json.dumps(entry, indent=1).replace("\n", "\n ")
