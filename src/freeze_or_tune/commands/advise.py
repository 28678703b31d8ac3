"""`advise`: freeze or tune, for one's own images."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from freeze_or_tune.commands.options import AsJson, Cores, Directory, Studies, bounds, minutes
from freeze_or_tune.running.studies import study_files

Images = Annotated[
    str,
    typer.Argument(
        metavar="IMAGES", show_default=False,
        help="A folder with one folder of images a class, a zip or tar of such, a CSV of paths and labels, parquet "
        "files, tars of a WebDataset, or hf://<owner>/<name>, a dataset of the Hugging Face Hub.",
    ),
]  # fmt: skip
Name = Annotated[str | None, typer.Option(show_default="the folder's", help="What to keep the results under.")]
NetworkName = Annotated[
    str | None,
    typer.Option(
        "--network", metavar="NAME", show_default="EfficientNet-Lite0", help="A pre-trained network of timm's, by name."
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        show_default="some 3m",
        help="How long to race tuning against freezing; 0: only look, do not train.",
    ),
]
FollowLinks = Annotated[bool, typer.Option("--follow-links", help="Read links that lead out of the folder, too.")]
Orientation = Annotated[
    Literal["exif", "stored"] | None,
    typer.Option(
        show_default="exif",
        help="exif: turned as the camera noted and every viewer shows it; stored: as the pixels lie.",
    ),
]
Range = Annotated[
    str | None,
    typer.Option(
        metavar="LOW,HIGH", show_default="auto",
        help="Black and white of images with more than 8 bits, or of real numbers; auto: the bits really used.",
    ),
]  # fmt: skip


def advise(
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
    """Freeze or tune, for your own images: measured.

    Example: freeze-or-tune advise photos --budget 5m --name birds
    """
    from freeze_or_tune.running.own import Own  # noqa: PLC0415 - --help is not to wait for it

    time, given = None if budget is None else minutes(budget), None if range is None else bounds(range)
    own = Own(
        images, study_files(study, directory), name, network, time, directory, cores,
        follow_links=follow_links, orientation=orientation, range=given,
    )  # fmt: skip
    advice = own.advise()
    if json:
        print(advice.model_dump_json(indent=1))
        return
    print(f"\n{advice}\n\nWhy, with pictures:  {own.folder}.html\nThe model:           {own.command('model')}")
