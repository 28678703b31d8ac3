"""`python -m freeze_or_tune COMMAND`: one file a command, with `add_to`; what is heavy is imported when it runs.

A command's `run` may return the exit status; without one it is 0.
"""

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `add_subparsers` returns, to which a command adds its parser with `set_defaults(run=...)`."""


def add_configfile(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the study."""
    parser.add_argument(
        "--configfile",
        default=["config/config.yaml"],
        metavar="FILE",
        nargs="+",
        help="the study (default: config/config.yaml); each of several files adds to those before it",
    )
