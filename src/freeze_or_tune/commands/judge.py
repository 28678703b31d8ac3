"""`judge`: how good the advice would have been for datasets that it does not know."""

import argparse
from pathlib import Path

from freeze_or_tune.commands import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("judge", help="advise on each dataset of an experiments.csv as if it were unknown")
    parser.add_argument(
        "results", type=Path, nargs="*", metavar="CSV",
        help="experiments of one study, or of several together (default: those that ship with the package)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print what was advised, what came of it, and what rules of thumb lead to."""
    from tabulate import tabulate  # noqa: PLC0415 - other commands do not pay for these

    from freeze_or_tune.analysis.advice.evidence import read_evidence  # noqa: PLC0415
    from freeze_or_tune.analysis.advice.held_out import counsels, coverage, held_out, summary, widths  # noqa: PLC0415

    table = held_out(read_evidence(arguments.results))
    for shown, digits in ((table, ".3f"), (summary(table), ".2f")):
        print(tabulate(shown, headers="keys", tablefmt="pipe", showindex=False, floatfmt=digits), end="\n\n")
    print("The advice: " + ", ".join(f"{what} {times} times" for what, times in counsels(table).items()) + ".")
    held, forecasts = coverage(table)
    if forecasts:
        ours, constant = widths(table)
        print(
            f"The forecast's 95 % interval held {held} of {forecasts} ratios; its ends are a factor of {ours:.2f} "
            f"apart (median), those of a constant {constant:.2f}."
        )
    else:
        print("There are no forecasts: it takes probes, `probes: true` in the study.")
