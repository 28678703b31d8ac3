"""`judge`: how good the advice would have been for targets that it does not know."""

import argparse
from pathlib import Path

from freeze_or_tune.commands import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("judge", help="advise on each target of an experiments.csv as if it were unknown")
    parser.add_argument(
        "results", type=Path, nargs="*", default=[Path("results/experiments.csv")], metavar="CSV",
        help="experiments of one study, or of several together (default: results/experiments.csv)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print what was advised, what came of it, and how often it was right."""
    from tabulate import tabulate  # noqa: PLC0415 - other commands do not pay for these

    from freeze_or_tune.analysis.advice.counsel import read_evidence  # noqa: PLC0415
    from freeze_or_tune.analysis.advice.held_out import coverage, held_out, summary  # noqa: PLC0415

    table = held_out(read_evidence(arguments.results))
    held, forecasts = coverage(table)
    for shown in (table, summary(table)):
        print(tabulate(shown, headers="keys", tablefmt="pipe", showindex=False, floatfmt=".3f"), end="\n\n")
    print(f"The forecast's 95 % interval held {held} of {forecasts} ratios.")
