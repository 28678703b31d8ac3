"""`model`: the network that is advised, trained on one's own images."""

import shlex
from pathlib import Path

from freeze_or_tune.commands.advise import Budget, FollowLinks, Images, Name, NetworkName, Orientation, Range
from freeze_or_tune.commands.options import AsJson, Cores, Directory, Studies, bounds, minutes
from freeze_or_tune.running.studies import study_files


def model(
    images: Images,
    name: Name = None,
    network: NetworkName = None,
    budget: Budget = None,
    json: AsJson = False,
    directory: Directory = Path(),
    study: Studies = None,
    cores: Cores = None,
    follow_links: FollowLinks = False,
    orientation: Orientation = None,
    range: Range = None,
) -> None:
    """Train the network that is advised for your images.

    Without advice so far, that comes first.

    Example: freeze-or-tune model photos --name birds
    """
    from freeze_or_tune.records.model import Model  # noqa: PLC0415 - --help is not to wait for these
    from freeze_or_tune.running.own import Own  # noqa: PLC0415

    time, given = None if budget is None else minutes(budget), None if range is None else bounds(range)
    weights = Own(
        images, study_files(study, directory), name, network, time, directory, cores,
        follow_links=follow_links, orientation=orientation, range=given,
    ).model()  # fmt: skip
    record = Model.read(weights.with_suffix(".json"))
    if json:
        print(record.model_dump_json(indent=1))
        return
    right = f"{100 * record.accuracy:.1f} % ({100 * record.low:.0f} to {100 * record.high:.0f})"
    tested = f"{sum(map(sum, record.confusion)):,} images that it has not seen"
    print(f"\n{record.experiment.settings.scheme}: right on {right} of {tested}.")
    print(f"Its card:  {weights.with_suffix('.md')}")
    print(f"Use it:    freeze-or-tune predict {shlex.quote(str(weights))} IMAGE")
