"""A study of one's own, written to be edited."""

import re
from pathlib import Path

from freeze_or_tune.running.studies import DEFAULT
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import write_text
from freeze_or_tune.system.shipped import shipped

_TEMPLATES = Path(__file__).with_name("templates")


def begin_study(folder: Path) -> list[Path]:
    """Write a Snakefile, the study and the profiles, and return what was written; UserError if any of it is there."""
    texts = {Path("Snakefile"): _read(_TEMPLATES / "Snakefile"), Path(DEFAULT): _read(_TEMPLATES / "config.yaml")}
    profiles = shipped("profiles")
    for path in sorted(profiles.glob("*/config.yaml")):
        # The shipped profile names the paper's study; here snakemake takes the folder's own.
        texts["profiles" / path.relative_to(profiles)] = re.sub(r"(?m)^configfile: .*\n", "", _read(path))
    there = [folder / path for path in texts if (folder / path).exists()]
    if there:
        raise UserError(f"{', '.join(map(str, there))} is there already; nothing was written. Name another folder")
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / path, text)
    return [folder / path for path in texts]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
