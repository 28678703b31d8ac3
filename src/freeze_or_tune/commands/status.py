"""`status`: what is done, runs, waits and has failed, from the files of a study alone."""

import typer

from freeze_or_tune.commands.options import Studies
from freeze_or_tune.running.studies import study_files


def status(study: Studies = None) -> None:
    """What is done, runs, waits and has failed.

    The exit status is 1 if anything has failed.

    Example: freeze-or-tune status --study config/paper.yaml
    """
    from freeze_or_tune.planning.status import TROUBLE, failed_stages, report, standings  # noqa: PLC0415 - as in `schema`
    from freeze_or_tune.study.reading import read_study  # noqa: PLC0415

    studied = read_study(*study_files(study))
    experiments, stages = standings(studied), failed_stages(studied)
    print(report(experiments, stages))
    raise typer.Exit(int(bool(stages) or any(experiment.state in TROUBLE for experiment in experiments)))
