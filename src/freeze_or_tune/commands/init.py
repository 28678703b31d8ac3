"""`init`: a study of one's own, to edit and to run."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", show_default="here", help="Where to write it; made if it is not there.")
    ] = Path(),
) -> None:
    """Write a study of your own, to edit.

    It is config/config.yaml, with profiles, and a Snakefile for those who type `snakemake`. Nothing is overwritten.

    Example: freeze-or-tune init my-study
    """
    from freeze_or_tune.running.beginning import begin_study  # noqa: PLC0415 - --help is not to wait for it

    written = begin_study(directory)
    print(*written, "", f"Edit {directory / 'config/config.yaml'}, then: freeze-or-tune run", sep="\n")
