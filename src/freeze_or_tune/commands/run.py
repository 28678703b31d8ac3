"""`run`: a study, or a part of it, through Snakemake."""

from pathlib import Path
from typing import Annotated

import typer

from freeze_or_tune.commands.options import Cores, Directory, Studies
from freeze_or_tune.running.studies import study_files


def run(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET", show_default=False, help="Files to make, by their paths; none: the whole study."
        ),
    ] = None,
    study: Studies = None,
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default=False, help="How to run: slurm, or a folder with a profile of snakemake."
        ),
    ] = None,
    directory: Directory = Path(),
    cores: Cores = None,
    force: Annotated[bool, typer.Option("--force", help="Make the targets again though they are there.")] = False,
    unlock: Annotated[bool, typer.Option("--unlock", help="Remove the lock that a killed run has left.")] = False,
) -> None:
    """Run a study, or what some of its results need.

    Example: freeze-or-tune run results/figures/fig2.pdf
    """
    from freeze_or_tune.running.workflow import Run, run_workflow  # noqa: PLC0415 - --help is not to wait for it

    options = [*(["--force"] if force else []), *(["--unlock"] if unlock else [])]
    run_workflow(Run(targets or (), directory, study_files(study, directory), {}, profile, cores, options))
    print("unlocked" if unlock else "all that was asked for is there")
