"""What the commands `advise` and `model` do, as functions for those who program."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from freeze_or_tune.analysis.advice.answer import Advice
from freeze_or_tune.running.own import Orientation, Own, Range
from freeze_or_tune.running.studies import study_files

if TYPE_CHECKING:
    from freeze_or_tune.stages.model import Model

StrPath = str | os.PathLike[str]


def advise(
    images: StrPath, *, name: str | None = None, network: str | None = None, budget: float | None = None,
    directory: StrPath = ".", study: StrPath | None = None, cores: int | None = None,
    follow_links: bool = False, orientation: Orientation | None = None, range: Range | None = None,
) -> Advice:  # fmt: skip
    """Freeze or tune, for one's own images: measured, or read again if nothing has changed.

    `images` is a folder with one folder of images a class, a zip or tar of such, a CSV of paths and labels, parquet
    files, tars of a WebDataset, `hf://<owner>/<name>` or a dataset of the study; `name` what the results are kept
    under; `network` one of timm's names; `budget` minutes for the race, 0 for none; `directory` where results/ and
    resources/ lie; `study` a file, or one that ships by its name. `follow_links`: also links out of the folder;
    `orientation`: "exif", or "stored" for pixels as they lie; `range`: black and white of images with more than 8
    bits, or "auto". UserError says in a sentence what went wrong.
    """
    own = _own(images, name, network, budget, directory, study, cores, follow_links, orientation, range)
    return own.advise()


def train(
    images: StrPath, *, name: str | None = None, network: str | None = None, budget: float | None = None,
    directory: StrPath = ".", study: StrPath | None = None, cores: int | None = None,
    follow_links: bool = False, orientation: Orientation | None = None, range: Range | None = None,
) -> "Model":  # fmt: skip
    """The model that is advised for one's own images, trained, or loaded if nothing has changed; as `advise`."""
    from freeze_or_tune.stages.model import Model  # noqa: PLC0415 - torch takes seconds, advice does without

    own = _own(images, name, network, budget, directory, study, cores, follow_links, orientation, range)
    return Model.load(own.model())


def _own(
    images: StrPath, name: str | None, network: str | None, budget: float | None, directory: StrPath,
    study: StrPath | None, cores: int | None, follow_links: bool, orientation: Orientation | None, range: Range | None,
) -> Own:  # fmt: skip
    folder = Path(directory)
    studies = study_files(None if study is None else [os.fspath(study)], folder)
    return Own(
        os.fspath(images), studies, name, network, budget, folder, cores,
        follow_links=follow_links, orientation=orientation, range=range,
    )  # fmt: skip
