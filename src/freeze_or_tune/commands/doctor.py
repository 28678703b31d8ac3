"""`doctor`: what a machine can do, or a node of a cluster, and what is to be done before the first run."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freeze_or_tune.commands.options import AsJson, Directory, Studies
from freeze_or_tune.running.studies import study_files
from freeze_or_tune.system.errors import UserError

if TYPE_CHECKING:
    from freeze_or_tune.records.checkup import Finding
    from freeze_or_tune.study.study import Study

_NAME = 48
"""Columns of names."""


def doctor(
    study: Studies = None,
    directory: Directory = Path(),
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default=False, help="Examine a node: submit one job with this profile, such as slurm."
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Try also networks that take long on a CPU.")] = False,
    json: AsJson = False,
) -> None:
    """What this machine can do, and what to mend first.

    The exit status is 1 if there is anything to do before the first run.

    Example: freeze-or-tune doctor --profile slurm
    """
    from freeze_or_tune.records.checkup import Checkup  # noqa: PLC0415 - --help is not to wait for these
    from freeze_or_tune.study.reading import read_study  # noqa: PLC0415

    if profile and full:
        raise UserError("--full is for this machine, --profile for a node; take one of the two")
    files = study_files(study, directory)
    studied = read_study(*files)
    found = (
        _of_a_node(studied, files, directory, profile) if profile else _of_this_machine(studied, directory, full=full)
    )
    checkup = Checkup.of(found if json else _printed(found))
    if json:
        print(checkup.model_dump_json(indent=1))
    elif checkup.ready:
        print("\nready")
    else:
        print("\nnot ready:", *(f"- {finding.remedy}" for finding in checkup.findings if finding.remedy), sep="\n")
    raise typer.Exit(int(not checkup.ready))


def _of_this_machine(study: "Study", directory: Path, *, full: bool) -> Iterator["Finding"]:
    from freeze_or_tune.data.downloads.catalogue import all_downloads  # noqa: PLC0415
    from freeze_or_tune.planning.costs import bytes_on_disk  # noqa: PLC0415
    from freeze_or_tune.stages.checkup import examine  # noqa: PLC0415

    return examine(study, directory, bytes_on_disk(study, all_downloads(study.downloads)), full=full)


def _of_a_node(study: "Study", files: list[str], directory: Path, profile: str) -> Iterable["Finding"]:
    """What a job finds that Snakemake submits; UserError if it does not come to an end."""
    from freeze_or_tune.records.checkup import Checkup  # noqa: PLC0415
    from freeze_or_tune.running.workflow import Run, run_workflow  # noqa: PLC0415

    result = Path(study.results, "doctor.json")
    run_workflow(Run([str(result)], directory, files, profile=profile, options=["--retries", "0", "--force"]))
    return Checkup.read(directory / result).findings


def _printed(findings: Iterable["Finding"]) -> Iterator["Finding"]:
    """The same findings, each on a line under its section."""
    section = ""
    for finding in findings:
        if finding.section != section:
            print(f"{chr(10) if section else ''}{finding.section}")
            section = finding.section
        print(f"{'!' if finding.remedy else ' '} {finding.name:<{_NAME}} {finding.value}", flush=True)
        yield finding
