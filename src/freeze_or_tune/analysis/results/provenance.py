"""Where a figure or a table comes from: the file beside it that says so, and the words inside it."""

import hashlib
import os
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Self

import pandas as pd
from pydantic import Field

from freeze_or_tune.records.record import Record
from freeze_or_tune.system.hashing import stable_digest

PACKAGES = ("freeze-or-tune", "matplotlib", "numpy", "pandas", "scipy", "statsmodels")


class Provenance(Record):
    """`fig2.json` beside `fig2.pdf`, `table3.json` beside `table3.csv`."""

    name: str = Field(description="what this is, e.g. fig2")
    study: str = Field(description="its name; several if results were mixed on purpose")
    settings: str = Field(description="hash of the settings of all experiments")
    experiments: int
    runs: int
    results_sha256: str = Field(description="of experiments.csv")
    date: str = Field(description="when experiments.csv was written, UTC; SOURCE_DATE_EPOCH if that is set")
    trained_with: tuple[str, ...] = Field(description="versions of what trained the networks")
    made_with: dict[str, str] = Field(description="versions of what made this")

    @classmethod
    def of(cls, name: str, path: Path, results: pd.DataFrame) -> Self:
        """What is made of `results`, which were read from `path`."""
        seconds = float(os.environ.get("SOURCE_DATE_EPOCH") or path.stat().st_mtime)
        return cls(
            name=name, study=", ".join(results["study"].unique()),
            settings=stable_digest(sorted(results["settings"].unique()))[:16],
            experiments=len(results.drop_duplicates(["target", "n", "scheme"])), runs=len(results),
            results_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            date=datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds"),
            trained_with=tuple(sorted(results["versions"].unique())),
            made_with={package: version(package) for package in PACKAGES},
        )  # fmt: skip

    @property
    def words(self) -> str:
        """One line for a file's metadata: without a date, so that the same results give the same bytes."""
        return f"study {self.study}, settings {self.settings}, experiments.csv sha256 {self.results_sha256}"
