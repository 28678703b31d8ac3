"""What is done with studies and their results outside the workflow."""

import argparse
import os
import sys
from collections.abc import Sequence

from freeze_or_tune.commands import doctor, judge, mean_features, plot, predict, resources, schema, status
from freeze_or_tune.system.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 1 and a message for an error that the user can mend."""
    parser = argparse.ArgumentParser(prog="python -m freeze_or_tune", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (doctor, judge, mean_features, plot, predict, resources, schema, status):
        command.add_to(commands)
    chosen = parser.parse_args(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as for jobs: see workflow/rules/common.smk
    try:
        return int(chosen.run(chosen) or 0)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # what reads the output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
