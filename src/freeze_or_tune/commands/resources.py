"""`resources`: what the jobs of a study will ask a scheduler for, and what it takes in all."""

import argparse
from pathlib import Path

from freeze_or_tune.commands import Commands, add_configfile


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("resources", help="what the jobs of a study will ask a cluster for")
    add_configfile(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print a table of the largest request of each kind of job, then disk and GPU-hours by stage."""
    from freeze_or_tune.data.downloads.catalogue import all_downloads  # noqa: PLC0415
    from freeze_or_tune.planning.costs import tables  # noqa: PLC0415 - other commands do not pay for it
    from freeze_or_tune.planning.estimates import table  # noqa: PLC0415
    from freeze_or_tune.study.study import read_study  # noqa: PLC0415

    study = read_study(*arguments.configfile)
    print(table(study), tables(study, all_downloads(Path(study.downloads or "config/downloads.csv"))), sep="\n\n")
