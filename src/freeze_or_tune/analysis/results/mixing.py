"""Results of different configs are never mixed in silence: what must be the same in all rows of one table."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from freeze_or_tune.study.settings import TrainingSettings
from freeze_or_tune.system.errors import SpoiltFile, UserError
from freeze_or_tune.system.hashing import stable_digest

OF_EXPERIMENT = {"target", "dataset", "source", "network", "split", "scheme", "runs"}
"""Settings in which the experiments of one study may differ; all others (solver, seed) they share."""


def protocol(settings: TrainingSettings) -> str:
    """A short hash of what all experiments of a study share."""
    return stable_digest(settings.model_dump(mode="json", exclude=OF_EXPERIMENT))[:16]


def check_records(records: Iterable[tuple[Path, TrainingSettings]]) -> None:
    """UserError names the first file whose settings do not belong with those of the files before it, and the setting.

    Alike are: the protocol everywhere; the network of a source; a target's dataset, source and splits but for their n.
    """
    first: dict[str, tuple[Path, dict[str, Any]]] = {}
    for path, settings in records:
        everything = settings.model_dump(mode="json")
        parts = {
            "study": {k: v for k, v in everything.items() if k not in OF_EXPERIMENT},
            f"source {settings.source}": {"network": everything["network"]},
            f"target {settings.target}": {
                "dataset": settings.dataset,
                "source": settings.source,
                "split": settings.split.model_dump(mode="json", exclude={"n"}),
            },
        }
        for place, values in parts.items():
            before, expected = first.setdefault(place, (path, values))
            difference = _difference(expected, values)
            if difference:
                key, old, new = difference
                raise SpoiltFile(
                    f"{path}: its {key} is {new!r}, but {old!r} in {before}, of the same {place}",
                    "the one that is not of this study",
                )


def _difference(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> tuple[str, Any, Any] | None:
    """The first key, with dots, whose values differ."""
    for key, value in old.items():
        if value == new[key]:
            continue
        if isinstance(value, dict) and isinstance(new[key], dict) and value.keys() == new[key].keys():
            return _difference(value, new[key], f"{prefix}{key}.")
        return f"{prefix}{key}", value, new[key]
    return None


def check_unmixed(table: pd.DataFrame, path: Path) -> None:
    """UserError names the first line of another study, or of another protocol, than line 2."""
    for column in ("study", "protocol"):
        odd = (table[column] != table[column].iloc[0]).to_numpy()
        if odd.any():
            row = int(odd.argmax())
            raise UserError(
                f"{path}, line {row + 2}, {column}: {table[column].iloc[row]!r} is not that of line 2, "
                f"{table[column].iloc[0]!r}: results of several studies or solvers are compared only on purpose "
                "(freeze-or-tune plot --mixed)"
            )
