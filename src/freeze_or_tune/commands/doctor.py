"""`doctor`: what a machine can do, or a node of a cluster, and what is to be done before the first run."""

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from freeze_or_tune.commands import Commands, add_configfile
from freeze_or_tune.system.errors import UserError

if TYPE_CHECKING:
    from freeze_or_tune.records.checkup import Finding
    from freeze_or_tune.study.study import Study

_NAME = 48
"""Columns of names."""


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    told = "what this machine can do, and what to do before the first run; exit status 1 if there is anything to do"
    parser = commands.add_parser("doctor", help=told, description=told)
    add_configfile(parser)
    parser.add_argument("--directory", type=Path, default=Path(), metavar="DIR", help="where snakemake will run (here)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--profile", metavar="DIR", help="examine a node: submit one job with this profile of snakemake")
    where.add_argument("--full", action="store_true", help="try also networks that take long on a CPU")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print sections as they are found, then `ready`, or what is to be done."""
    from freeze_or_tune.records.checkup import Checkup  # noqa: PLC0415 - other commands do not pay for these
    from freeze_or_tune.study.study import read_study  # noqa: PLC0415

    study = read_study(*arguments.configfile)
    found = _of_a_node(study, arguments) if arguments.profile else _of_this_machine(study, arguments)
    checkup = Checkup.of(found if arguments.json else _printed(found))
    if arguments.json:
        print(checkup.model_dump_json(indent=1))
    elif checkup.ready:
        print("\nready")
    else:
        print("\nnot ready:", *(f"- {finding.remedy}" for finding in checkup.findings if finding.remedy), sep="\n")
    return int(not checkup.ready)


def _of_this_machine(study: "Study", arguments: argparse.Namespace) -> Iterator["Finding"]:
    from freeze_or_tune.data.downloads.catalogue import all_downloads  # noqa: PLC0415
    from freeze_or_tune.planning.costs import bytes_on_disk  # noqa: PLC0415
    from freeze_or_tune.stages.checkup import examine  # noqa: PLC0415

    needed = bytes_on_disk(study, all_downloads(Path(study.downloads or "config/downloads.csv")))
    return examine(study, arguments.directory, needed, full=arguments.full)


def _of_a_node(study: "Study", arguments: argparse.Namespace) -> Iterable["Finding"]:
    """What a job finds that snakemake submits; UserError if it does not come to an end."""
    from freeze_or_tune.records.checkup import Checkup  # noqa: PLC0415

    result = Path(study.results, "doctor.json")
    command = [
        sys.executable, "-m", "snakemake", "--profile", arguments.profile, "--configfile", *arguments.configfile,
        "--directory", arguments.directory, "--retries", "0", "--force", "--", result,
    ]  # fmt: skip
    # What snakemake says is not the result: --json has stdout for itself.
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        log = arguments.directory / study.results / "logs/doctor.log"
        raise UserError(f"the job did not end well: see what snakemake says above, and {log} if it is there")
    return Checkup.read(arguments.directory / result).findings


def _printed(findings: Iterable["Finding"]) -> Iterator["Finding"]:
    """The same findings, each on a line under its section."""
    section = ""
    for finding in findings:
        if finding.section != section:
            print(f"{chr(10) if section else ''}{finding.section}")
            section = finding.section
        print(f"{'!' if finding.remedy else ' '} {finding.name:<{_NAME}} {finding.value}", flush=True)
        yield finding
