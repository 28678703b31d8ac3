"""All figures and tables from one experiments.csv: what the rules call, one at a time, and `plot`, all at once."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from freeze_or_tune.analysis.results.provenance import Provenance
from freeze_or_tune.analysis.show.depths import depths, depths_data, has_depths
from freeze_or_tune.analysis.show.figures import copying, copying_data, metrics, metrics_data, tuning, tuning_data
from freeze_or_tune.analysis.show.panels import accuracies, accuracies_data
from freeze_or_tune.analysis.show.sheets import write_csv, write_sheet
from freeze_or_tune.analysis.show.style import write_figure
from freeze_or_tune.analysis.show.tables import TABLES
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.system.errors import made_by_the_workflow


class Drawing(NamedTuple):
    """A figure and the numbers that it shows."""

    data: Callable[[Evidence], pd.DataFrame]
    draw: Callable[[Evidence], Figure]


FIGURES: Mapping[int, Drawing] = {
    1: Drawing(copying_data, copying),
    2: Drawing(tuning_data, tuning),
    3: Drawing(accuracies_data, accuracies),
    4: Drawing(metrics_data, metrics),
    6: Drawing(depths_data, depths),
}
_DEPTHS = {"figure": 6, "table": 4}
"""What takes schemes between frozen and tuned."""


@made_by_the_workflow()
def figure(results_csv: Path, number: int, outputs: Sequence[Path]) -> None:
    """Write a figure: each output in the format of its suffix, .csv its data and .json its provenance."""
    _figure(Evidence.read(results_csv), results_csv, number, outputs)


@made_by_the_workflow()
def table(results_csv: Path, number: int, outputs: Sequence[Path]) -> None:
    """Write a table: each output in the format of its suffix, .json its provenance."""
    _table(Evidence.read(results_csv), results_csv, number, outputs)


def plot(results_csv: Path, folder: Path, mixed: bool = False) -> None:
    """Write all figures and tables under `folder`; UserError names line and column of a malformed file."""
    evidence = Evidence.read(results_csv, mixed)
    without = {} if has_depths(evidence.results) else _DEPTHS
    for number in TABLES.keys() - {without.get("table")}:
        stem = folder / "tables" / f"table{number}"
        _table(evidence, results_csv, number, [stem.with_suffix(s) for s in (".csv", ".md", ".tex", ".json")])
    for number in FIGURES.keys() - {without.get("figure")}:
        stem = folder / "figures" / f"fig{number}"
        _figure(evidence, results_csv, number, [stem.with_suffix(s) for s in (".pdf", ".png", ".csv", ".json")])


def _figure(evidence: Evidence, results_csv: Path, number: int, outputs: Sequence[Path]) -> None:
    drawing, origin = FIGURES[number], Provenance.of(f"fig{number}", results_csv, evidence.results)
    pictures = [output for output in outputs if output.suffix not in (".csv", ".json")]
    write_figure(partial(drawing.draw, evidence), pictures, title=f"Figure {number}", subject=origin.words)
    for output in outputs:
        if output.suffix == ".csv":
            write_csv(drawing.data(evidence), output)
        elif output.suffix == ".json":
            origin.write(output)


def _table(evidence: Evidence, results_csv: Path, number: int, outputs: Sequence[Path]) -> None:
    write_sheet(TABLES[number](evidence), [output for output in outputs if output.suffix != ".json"])
    for output in outputs:
        if output.suffix == ".json":
            Provenance.of(f"table{number}", results_csv, evidence.results).write(output)
