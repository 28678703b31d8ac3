"""`schema`: the JSON schema of a study's config, for editors."""

import argparse

from freeze_or_tune.commands import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("schema", help="print the JSON schema of a study's config")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the schema."""
    from freeze_or_tune.study.study import schema  # noqa: PLC0415 - other commands do not pay for it

    print(schema(), end="")
