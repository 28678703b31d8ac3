"""Copy how many layers of a pre-trained network, and freeze or fine-tune them?"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from freeze_or_tune import __version__
from freeze_or_tune.commands.advise import advise
from freeze_or_tune.commands.doctor import doctor
from freeze_or_tune.commands.downloads import downloads
from freeze_or_tune.commands.init import init
from freeze_or_tune.commands.judge import judge
from freeze_or_tune.commands.mean_features import mean_features
from freeze_or_tune.commands.model import model
from freeze_or_tune.commands.plot import plot
from freeze_or_tune.commands.predict import predict
from freeze_or_tune.commands.resources import resources
from freeze_or_tune.commands.run import run
from freeze_or_tune.commands.schema import schema
from freeze_or_tune.commands.status import status
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.process import prepare_process, refuse

NAME = "freeze-or-tune"
COMMANDS = {
    "Your own images": (advise, model, predict),
    "Studies": (init, run, status, plot, judge),
    "Machines and clusters": (doctor, downloads, resources, mean_features, schema),
}

app = typer.Typer(name=NAME, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
for _commands in COMMANDS.values():
    for _command in _commands:
        _told, _, _example = (_command.__doc__ or "").partition("Example: ")
        app.command(help=_told.strip(), epilog=f"Example: {_example.strip()}")(_command)


def _version(asked: bool) -> None:
    if asked:
        print(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback(help=__doc__, epilog=f"Each command has a --help with an example: {NAME} advise --help")
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 1 and a message for an error that the user can mend, 2 for one of the command line."""
    hook = sys.excepthook
    try:
        refuse()
        app(args=None if arguments is None else list(arguments), prog_name=NAME)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # what reads the output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        sys.excepthook = hook  # typer's stays otherwise, also in a program that only calls this
    return 0


def entry() -> None:
    """The console script."""
    prepare_process()
    sys.exit(main())


if __name__ == "__main__":
    entry()
