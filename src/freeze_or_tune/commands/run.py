"""`run`: a study, or a part of it, through Snakemake."""

from io import StringIO
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only say how many jobs of each kind there are to do.")
    ] = False,
    unlock: Annotated[bool, typer.Option("--unlock", help="Remove the lock that a killed run has left.")] = False,
) -> None:
    """Run a study, or what some of its results need.

    Example: freeze-or-tune run results/figures/fig2.pdf
    """
    from freeze_or_tune.running.display import Display  # noqa: PLC0415
    from freeze_or_tune.running.workflow import Run, run_workflow  # noqa: PLC0415 - --help is not to wait for it

    asked = {"--force": force, "--dry-run": dry_run, "--unlock": unlock}
    options = [option for option, wanted in asked.items() if wanted]
    silent = Display(StringIO()) if dry_run else None
    made = run_workflow(
        Run(targets or (), directory, study_files(study, directory), {}, profile, cores, options), silent
    )
    if dry_run and made.all:
        print(*(f"{stage.name:<26} {stage.jobs:>5}" for stage in made.all.values()), sep="\n")
    else:
        print("unlocked" if unlock else "all that was asked for is there")
