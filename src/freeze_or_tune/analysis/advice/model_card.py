"""A model's card: how good it is, where it errs, what it needs, how it came about; and its confusion matrix."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from tabulate import tabulate

from freeze_or_tune.analysis.advice.words import doing
from freeze_or_tune.analysis.show.style import WIDTH, write_figure
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.records.model import Model, Use
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.system.files import write_text

_NAMED = 40
"""More classes than these leave no room for their names, nor for numbers in the cells."""
_MISTAKES = 5


def describe(model: Model, use: Use, advice: Advice, card: Path, pictures: Sequence[Path]) -> None:
    """Write the card (Markdown) and the confusion matrix in the format of each picture's suffix."""
    write_figure(partial(matrix, model), pictures)
    write_text(card, page(model, use, advice, pictures[0].name))


def page(model: Model, use: Use, advice: Advice, picture: str) -> str:
    """The card's text, beside a `picture` of that file name."""
    experiment = model.experiment
    scheme = Scheme.parse(use.scheme)
    mistakes = _mistakes(model)
    parts = [
        f"# Model: {model.dataset}",
        f"{len(model.labels):,} classes, from `{use.source}` by {scheme.paper}: blocks 1-{scheme.copied} copied "
        f"({doing(scheme)}), the last trained from random values.",
        "## How good it is",
        f"**{_percent(model.accuracy)} of {experiment.test_images:,} test images are right; the 95 % interval "
        f"(Wilson) is {_percent(model.low)} to {_percent(model.high)}.** The mean over classes is "
        f"{_percent(_over_classes(model))}, chance {_percent(1 / len(model.labels))}. The test images took no part "
        "in training or choosing. On other photographs (another camera, light or place) it may be worse.",
        f"Its probabilities are off by {_percent(model.calibration_error)} (expected calibration error on the test "
        f"images), without the temperature of {model.temperature:.2f}, which was found on validation and is part of "
        f"the weights, by {_percent(model.uncalibrated_error)}.",
        *_choice(model, advice),
        f"What was kept was then trained once more, on all {experiment.train_images:,} images but those that test"
        + (
            f"; its classifier is the mean of {model.averaged} that could not be told apart." if model.averaged else "."
        ),
        f"![Confusion matrix: a row a class, a column an answer]({picture})",
        *(("Most frequent mistakes:", "\n".join(f"- {line}" for line in mistakes)) if mistakes else ()),
        "## How it is used",
        "`freeze-or-tune predict model.safetensors photo.jpg`, or with other software:",
        use.preprocessing,
        "`model.onnx` (made by `snakemake`, on request) does all but the first two steps itself: `images` are uint8 "
        "[batch, height, width, 3] in RGB, already warped; `probabilities` are float32 [batch, classes], in the order "
        "of the labels. Labels, sizes and this text are in the header of `model.safetensors` too, under `about`.",
        "## Where it comes from",
        f"Images: `{model.dataset}`, {advice.check.used_images:,} of {advice.check.images:,} used. What was found:",
        "\n".join(f"- {finding}" for finding in advice.check.findings) or "nothing that its owner should know.",
        f"Settings, seeds and versions: `model.json`. Settings' hash: `{experiment.digest}`.",
    ]
    return "\n\n".join(parts) + "\n"


def _over_classes(model: Model) -> float:
    """Mean over the classes that have test images of the accuracy within the class."""
    counts = np.array(model.confusion)
    images = counts.sum(axis=1)
    return float((np.diag(counts)[images > 0] / images[images > 0]).mean())


def _choice(model: Model, advice: Advice) -> list[str]:
    """How scheme, rate and decay were chosen."""
    if advice.measured is not None:
        first = advice.measured.first
        kept = ", ".join(f"{name} {value}" for name, value in first.candidates[0] if value is not None)
        return [
            f"The advice was: {model.advice}, the winner of a race. Of its candidates the one with {kept} was right on "
            f"most of the {first.images:,} images that tested there, none of which is among the test images here."
        ]
    rows = [
        (c.scheme, _percent(c.val_accuracy), _percent(c.test_accuracy), "kept" if c.chosen else "")
        for c in model.trials
    ]
    searched = model.experiment.train_images - model.experiment.val_images
    return [
        f"The advice was: {model.advice}. Searched on {searched:,} images, chosen on {model.experiment.val_images:,}:",
        str(tabulate(rows, ["scheme", "validation", "test", ""], tablefmt="pipe", disable_numparse=True)),
    ]


def matrix(model: Model) -> Figure:
    """Share of each class's test images by answer; with few classes, names and counts."""
    counts = np.array(model.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = len(model.labels) <= _NAMED
    side = min(WIDTH, 2.2 + 0.3 * len(model.labels))
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="none")
    figure.colorbar(image, label="Share of the class's test images", shrink=0.8)
    axes.set(xlabel="Answer", ylabel="Class", xticks=[], yticks=[])
    if names:
        places = range(len(model.labels))
        short = [_short(label) for label in model.labels]
        axes.set_xticks(places, short, rotation=90)
        axes.set_yticks(places, short)
        for row, column in zip(*np.nonzero(counts), strict=True):
            dark = shares[row, column] > 0.5
            axes.text(
                column,
                row,
                str(counts[row, column]),
                ha="center",
                va="center",
                fontsize=6,
                color="white" if dark else "black",
            )
    return figure


def _mistakes(model: Model) -> list[str]:
    wrong = np.array(model.confusion)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MISTAKES]
    places = [np.unravel_index(place, wrong.shape) for place in order]
    return [
        f"{_short(model.labels[row])} taken for {_short(model.labels[column])}: {wrong[row, column]} of "
        f"{sum(model.confusion[row])}"
        for row, column in places
        if wrong[row, column]
    ]


def _short(label: str) -> str:
    """A name in one printable line, without what matplotlib takes for mathematics."""
    text = label if label.isprintable() else repr(label)[1:-1]
    return (text if len(text) <= 24 else text[:23] + "…").replace("$", r"\$")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
