"""`python -m freeze_or_tune COMMAND`: one file a command, with `add_to`; what is heavy is imported when it runs."""

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `add_subparsers` returns, to which a command adds its parser with `set_defaults(run=...)`."""
