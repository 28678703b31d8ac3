"""`resources`: what the jobs of a study will ask a scheduler for, and what it takes in all."""

from freeze_or_tune.commands.options import Studies
from freeze_or_tune.running.studies import study_files


def resources(study: Studies = None) -> None:
    """What a study will ask a cluster for.

    The largest request of each kind of job, then disk and GPU-hours by stage.

    Example: freeze-or-tune resources --study config/paper.yaml
    """
    from freeze_or_tune.data.downloads.catalogue import all_downloads  # noqa: PLC0415
    from freeze_or_tune.planning.costs import tables  # noqa: PLC0415 - --help is not to wait for these
    from freeze_or_tune.planning.estimates import table  # noqa: PLC0415
    from freeze_or_tune.study.reading import read_study  # noqa: PLC0415

    studied = read_study(*study_files(study))
    print(table(studied), tables(studied, all_downloads(studied.downloads)), sep="\n\n")
