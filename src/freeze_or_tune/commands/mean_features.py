"""`mean-features`: what a source's images look like to its network on average, for those who do not have them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from freeze_or_tune.commands.options import Studies
from freeze_or_tune.running.studies import study_files


def mean_features(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", show_default=False, help="A source of the study that has `weights`.")
    ],
    images: Annotated[
        Path,
        typer.Argument(metavar="IMAGES", show_default=False, help="A folder, zip or tar with its training images."),
    ],
    output: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="Where to write the file, such as resnet50.json.")
    ],
    reader: Annotated[str, typer.Option(help="How the images are laid out; folder: one folder a class.")] = "folder",
    per_class: Annotated[int, typer.Option(help="Images of each class at most.")] = 50,
    study: Studies = None,
) -> None:
    """Publish what a source's images look like.

    Writes the mean features of its images, for those who have the network and not the images.

    Example: freeze-or-tune mean-features imagenet ImageNet/train resnet50.json --study my-study.yaml
    """
    from freeze_or_tune.stages.publishing import publish_mean  # noqa: PLC0415 - torch takes seconds
    from freeze_or_tune.study.reading import read_study  # noqa: PLC0415
    from freeze_or_tune.system.errors import UserError  # noqa: PLC0415

    studied = read_study(*study_files(study))
    studied.source(source)
    weights = studied.imported().get(source)
    if weights is None:
        raise UserError(f"the source {source} is pretrained in this study, which measures its features itself")
    if not Path(weights.file).exists():
        raise UserError(f"{weights.file} does not exist; `snakemake {weights.file}` fetches what can be fetched")
    if not images.exists():
        raise UserError(f"{images} does not exist; give a folder, zip or tar of images")
    published = publish_mean(
        studied.network_of(source), weights, images, reader, per_class, output, studied.machine,
        threads=os.cpu_count() or 1, seed=studied.seed,
    )  # fmt: skip
    print(f"{output}: {published.about}")
