"""`plot`: all figures and tables from one experiments.csv, without training anything."""

from pathlib import Path
from typing import Annotated

import typer


def plot(
    results: Annotated[Path, typer.Argument(metavar="EXPERIMENTS.csv", show_default=False, help="One row a run.")],
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", show_default=False, help="Where figures/ and tables/ are written.")
    ],
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Accept rows of several studies or solvers in one file.")
    ] = False,
) -> None:
    """Make figures and tables, without training.

    Example: freeze-or-tune plot results/experiments.csv plots
    """
    from freeze_or_tune.analysis.show.plot import plot as of_a_table  # noqa: PLC0415 - --help is not to wait for it

    of_a_table(results, folder, mixed)
    print(f"figures and tables are in {folder}")
