"""The studies that are meant where none is named, or one by its name."""

from collections.abc import Sequence
from pathlib import Path

from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.shipped import shipped

DEFAULT = "config/config.yaml"
"""Of a folder: what `snakemake` studies there, too."""


def default_study(directory: Path = Path()) -> Path:
    """The folder's own study, else the embedded one that ships."""
    own = directory / DEFAULT
    return own if own.exists() else shipped(DEFAULT)


def study_files(studies: Sequence[str] | None, directory: Path = Path()) -> list[str]:
    """The files of a study; UserError lists the names of those that ship."""
    return [_study_file(name) for name in studies] if studies else [str(default_study(directory))]


def own_studies(studies: Sequence[str], directory: Path = Path()) -> Sequence[str]:
    """The files if they are not what the workflow studies anyway, where it is told of none."""
    return () if list(studies) == [str(default_study(directory))] else studies


def _study_file(name: str) -> str:
    if Path(name).exists():
        return name
    ships = {path.stem: path for path in sorted(shipped("config").glob("*.yaml"))}
    if name not in ships:
        raise UserError(f"there is no study {name}; give a file, or one of those that ship: {', '.join(ships)}")
    return str(ships[name])
