"""`resources`: what the jobs of a study will ask a scheduler for."""

import argparse

from freeze_or_tune.commands import Commands, add_configfile


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("resources", help="what the jobs of a study will ask a cluster for")
    add_configfile(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print a table of the largest request of each kind of job."""
    from freeze_or_tune.estimates import table  # noqa: PLC0415 - other commands do not pay for it
    from freeze_or_tune.study import read_study  # noqa: PLC0415

    print(table(read_study(arguments.configfile)))
