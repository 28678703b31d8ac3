"""Learning curves for the report: a small picture for each target, level of data and scheme."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from freeze_or_tune.analysis.show.style import DEPTH_LOOKS, GREY, write_figure
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.study.levels import data_level
from freeze_or_tune.study.schemes import Scheme


def write_curves(experiments: Sequence[Path], folder: Path) -> None:
    """Draw `folder`/<target>/<data level>/<scheme>.png: validation accuracy of all runs, a colour a split."""
    together: dict[Path, list[Experiment]] = {}
    for path in experiments:
        record = Experiment.read(path)
        settings = record.settings
        picture = folder / settings.target / data_level(settings.split.n) / f"{settings.scheme}.png"
        together.setdefault(picture, []).append(record)
    for picture, records in together.items():
        write_figure(partial(curves, records), [picture], dpi=150)


def curves(records: Sequence[Experiment]) -> Figure:
    """Validation accuracy against iterations; a ring marks the iteration kept, at its test accuracy."""
    figure = Figure(figsize=(4.5, 2.8), layout="constrained")
    axes = figure.subplots()
    records = sorted(records, key=lambda record: record.settings.split.n)
    for place, record in enumerate(records):
        color, marker = DEPTH_LOOKS[place % len(DEPTH_LOOKS)]
        for run in record.runs:
            label = f"{record.settings.split.n} images a class" if run is record.runs[0] else None
            axes.plot(
                [point.iteration for point in run.curve],
                [point.val_accuracy for point in run.curve],
                color=color, marker=marker, markersize=3, linewidth=1, label=label,
            )  # fmt: skip
            axes.plot(run.best_iteration, run.test_accuracy, "o", color=color, markerfacecolor="none", markersize=8)
    axes.axhline(1 / records[0].classes, color=GREY, linewidth=0.8, zorder=1)
    axes.set_ylim(0, 1.03)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("Iteration")
    axes.set_ylabel("Validation accuracy")
    settings = records[0].settings
    axes.set_title(f"{settings.target}, {Scheme.parse(settings.scheme).paper}")
    axes.legend(loc="best", frameon=False)
    return figure
