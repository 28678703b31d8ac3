"""The experiments that advice may learn from: those that ship with the package, or one's own."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from freeze_or_tune.analysis.results.table import read_results
from freeze_or_tune.analysis.statistics.intervals import Evidence

SHIPPED = Path(__file__).with_name("experiments.csv")
"""The table of config/evidence.yaml."""


def read_evidence(paths: Sequence[Path]) -> Evidence:
    """Experiments of one study or of several, whose targets are then told apart by the study's name.

    Without paths: those that ship with the package.
    """
    tables = [read_results(path) for path in paths or (SHIPPED,)]
    if len(tables) > 1:
        tables = [table.assign(target=table["study"] + ":" + table["target"]) for table in tables]
    return Evidence.of(pd.concat(tables, ignore_index=True))
