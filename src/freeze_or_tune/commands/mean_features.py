"""`mean-features`: what a source's images look like to its network on average, for those who do not have them."""

import argparse
import os
from pathlib import Path

from freeze_or_tune.commands import Commands, add_configfile


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    told = "the mean features of a source's images, a file for sources.<name>.mean_features of those without the images"
    parser = commands.add_parser("mean-features", help=told, description=told)
    parser.add_argument("source", help="a source of the study that has `weights`")
    parser.add_argument("images", type=Path, help="a folder, zip or tar with its training images")
    parser.add_argument("output", type=Path, help="where to write the file, such as resnet50.json")
    parser.add_argument("--reader", default="folder", help="how the images are laid out (folder: one folder a class)")
    parser.add_argument("--per-class", type=int, default=50, help="images of each class at most (50)")
    add_configfile(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the file and say what it is of; UserError if the source is pretrained here, and has its images."""
    from freeze_or_tune.stages.publishing import publish_mean  # noqa: PLC0415 - torch takes seconds
    from freeze_or_tune.study.study import read_study  # noqa: PLC0415
    from freeze_or_tune.system.errors import UserError  # noqa: PLC0415

    study = read_study(*arguments.configfile)
    weights = study.source(arguments.source).weights
    if weights is None:
        raise UserError(
            f"the source {arguments.source} is pretrained in this study, which measures its features itself"
        )
    if not arguments.images.exists():
        raise UserError(f"{arguments.images} does not exist; give a folder, zip or tar of images")
    published = publish_mean(
        study.network_of(arguments.source), weights, arguments.images, arguments.reader, arguments.per_class,
        arguments.output, study.machine, threads=os.cpu_count() or 1, seed=study.seed,
    )  # fmt: skip
    print(f"{arguments.output}: {published.about}")
