"""`plot`: all figures and tables from one experiments.csv, without training anything."""

import argparse
from pathlib import Path

from freeze_or_tune.commands import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("plot", help="make all figures and tables of an experiments.csv, without training")
    parser.add_argument("results", type=Path, metavar="EXPERIMENTS.csv", help="one row a run")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where figures/ and tables/ are written")
    parser.add_argument("--mixed", action="store_true", help="accept rows of several studies or solvers in one file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Make them and say where they are."""
    from freeze_or_tune.analysis.show.plot import plot  # noqa: PLC0415 - other commands do not pay for it

    plot(arguments.results, arguments.folder, arguments.mixed)
    print(f"figures and tables are in {arguments.folder}")
