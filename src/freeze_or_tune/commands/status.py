"""`status`: what is done, runs, waits and has failed, from the files of a study alone."""

import argparse

from freeze_or_tune.commands import Commands, add_configfile


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    told = "what is done, runs, waits and has failed; exit status 1 if anything has failed"
    parser = commands.add_parser("status", help=told, description=told)
    add_configfile(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a table of counts, then what runs and what needs a person."""
    from freeze_or_tune.planning.status import TROUBLE, failed_stages, report, standings  # noqa: PLC0415 - as in `schema`
    from freeze_or_tune.study.study import read_study  # noqa: PLC0415

    study = read_study(*arguments.configfile)
    experiments, stages = standings(study), failed_stages(study)
    print(report(experiments, stages))
    return int(bool(stages) or any(experiment.state in TROUBLE for experiment in experiments))
