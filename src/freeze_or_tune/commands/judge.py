"""`judge`: how good the advice would have been for datasets that it does not know."""

from pathlib import Path
from typing import Annotated

import typer


def judge(
    results: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="CSV",
            show_default="the experiments that ship with the package",
            help="Experiments of one study, or of several together.",
        ),
    ] = None,
) -> None:
    """How good the advice would have been.

    Each dataset of an experiments.csv is advised on as if it were unknown, which is compared with what came of it.

    Example: freeze-or-tune judge results/experiments.csv
    """  # fmt: skip
    from tabulate import tabulate  # noqa: PLC0415 - --help is not to wait for these

    from freeze_or_tune.analysis.advice.evidence import read_evidence  # noqa: PLC0415
    from freeze_or_tune.analysis.advice.held_out import counsels, coverage, held_out, summary, widths  # noqa: PLC0415

    table = held_out(read_evidence(results or []))
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
