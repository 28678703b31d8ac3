"""One's own images, from a folder to advice and to a model."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from freeze_or_tune.analysis.advice.answer import Advice
from freeze_or_tune.running.display import Display
from freeze_or_tune.running.studies import own_studies
from freeze_or_tune.running.workflow import Run, run_workflow
from freeze_or_tune.study import hub
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.system.commands import front_command
from freeze_or_tune.system.errors import UserError

Orientation: TypeAlias = Literal["exif", "stored"]
Range: TypeAlias = Literal["auto"] | tuple[float, float]

_USUAL_BUDGET = 3.0
"""Minutes of a race for which no budget is given."""


@dataclass(frozen=True)
class Own:
    """One's own images, or a dataset of the study, and what is asked about them.

    `images` is a folder, an archive, a table or the like from where the command was given, or a dataset of the Hugging
    Face Hub, `hf://<owner>/<name>`; `budget` are minutes for the race; `studies` are files, at
    least one; `follow_links`, `orientation` and `range` are keys of a study's dataset.
    """

    images: str
    studies: Sequence[str]
    name: str | None = None
    network: str | None = None
    budget: float | None = None
    directory: Path = Path()
    cores: int | None = None
    display: Display | None = field(default=None, compare=False)
    follow_links: bool = False
    orientation: Orientation | None = None
    range: Range | None = None

    @property
    def path(self) -> Path | str | None:
        """Where the images are, as Snakemake finds them from the directory; None: they are a dataset of the study.

        A dataset of the Hub keeps its address. UserError if there is none of these.
        """
        if hub.is_address(self.images):
            return _parsed(self.images).address
        path = Path(self.images).expanduser()
        if path.exists():
            return path if self.directory.resolve() == Path.cwd() else path.resolve()
        datasets = read_study(*self.studies).datasets
        if self.images not in datasets:
            raise UserError(
                f"{self.images} does not exist; give a folder of class folders, a zip or tar of such, a CSV, "
                f"parquet files, hf://<owner>/<name>, or a dataset of the study: {', '.join(datasets)}"
            )
        return None

    @property
    def called(self) -> str:
        """The name under which results are kept: as given, or made of the path's.

        UserError if it is that of a dataset of the study, whose images would be taken.
        """
        if self.path is None:
            return self.name or self.images
        datasets = read_study(*self.studies).datasets
        if self.name in datasets:
            raise UserError(f"the study has a dataset {self.name}; give your images another --name")
        own = self.name or name_for(self.path)
        return f"my-{own}" if own in datasets else own

    @property
    def folder(self) -> Path:
        """Where the results lie."""
        return self.directory / self._results

    @property
    def _results(self) -> str:
        return f"{read_study(*self.studies).results}/advice/{self.called}"

    def advise(self) -> Advice:
        """Measure what to do; UserError in one sentence if that cannot be."""
        self._make(f"{self._results}.md")
        return Advice.read(self.folder.with_name(f"{self.called}.json"))

    def model(self) -> Path:
        """Train what is advised, and return the file of weights."""
        self._make(f"{self._results}/model.safetensors")
        return self.folder / "model.safetensors"

    @property
    def reading(self) -> Mapping[str, object]:
        """How to read the images, as far as it is said."""
        said = {"follow_links": self.follow_links or None, "orientation": self.orientation, "range": self.range}
        return {key: value for key, value in said.items() if value is not None}

    def command(self, what: str) -> str:
        """The same question to another command, to be pasted as it stands."""
        directory = None if self.directory == Path() else self.directory
        return front_command(
            what, self.images, studies=own_studies(self.studies, self.directory), name=self.name, network=self.network,
            budget=self.budget, directory=directory, **self.reading,
        )  # fmt: skip

    @property
    def _asked(self) -> object:
        """What the study's key `images` is given: None for a dataset of the study, which says itself how it is read."""
        if self.path is None and self.reading:
            raise UserError(
                f"{self.images} is a dataset of the study; say there how it is read: {', '.join(self.reading)}"
            )
        if self.path is None:
            return None
        return {"path": str(self.path), **self.reading} if self.reading else str(self.path)

    def _make(self, target: str) -> None:
        given = {"images": self._asked, "network": self.network, "budget": self.budget}
        run = Run(
            [target], self.directory, self.studies, {key: value for key, value in given.items() if value is not None},
            cores=self.cores,
        )  # fmt: skip
        minutes = _USUAL_BUDGET if self.budget is None else self.budget
        run_workflow(run, self.display, {"racing tuned and frozen": 60 * minutes})


def name_for(path: Path | str) -> str:
    """A name of letters, digits, dots and dashes for images at a path: `Vögel 2024.zip` is `Vogel-2024`.

    A dataset of the Hub is called by its name and its subset there.
    """
    if isinstance(path, str):
        dataset = _parsed(path)
        path = Path(f"{dataset.repository.partition('/')[2]} {dataset.subset}")
    text = path.resolve().name
    for suffix in reversed(path.suffixes if path.is_file() else []):
        text = text.removesuffix(suffix)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.]+", "-", plain).strip("-.") or "images"


def _parsed(address: str) -> hub.HubDataset:
    try:
        return hub.parse(address)
    except ValueError as error:
        raise UserError(str(error)) from None
