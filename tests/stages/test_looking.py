from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from freeze_or_tune.data.index import COLUMNS, read_index
from freeze_or_tune.data.splits import read_rows
from freeze_or_tune.data.store import Store
from freeze_or_tune.records.advice import Check
from freeze_or_tune.records.findings import Findings
from freeze_or_tune.stages import looking
from freeze_or_tune.stages.looking import look_at
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.settings import Advising
from freeze_or_tune.system.csv_files import write_table
from tests.stages.files import CPU, SIZES, Files


def looked_at(files: Files, folder: Path, *, near_copies: bool = True) -> Check:
    store, _ = files.inputs("digits")
    stored = set(Store(store).names)
    listings = [listing for listing in read_index(files.folder / "digits-index.csv") if listing.image in stored]
    write_table(folder / "index.csv", COLUMNS, map(astuple, listings))
    Findings(findings=()).write(folder / "index.json")
    look_at(
        SIZES, files.weights, folder / "index.csv", folder / "index.json", store, folder / "check.json",
        folder / "split.csv", dataset="digits", seed=0, shares=Advising(near_copies=near_copies), machine=CPU,
        threads=1,
    )  # fmt: skip
    return Check.read(folder / "check.json")


def test_images_whose_features_agree_are_kept_together(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a network saw pairs; the hashes of these small pictures are let agree."""
    monkeypatch.setattr("freeze_or_tune.data.own.likeness.MOVED", 64)

    def in_pairs(
        sizes: Network, weights: Path, images: Store, names: list[str], *how: object
    ) -> Iterator[NDArray[np.float32]]:
        seen = np.random.default_rng(0).normal(0, 1, (len(names) // 2 + 1, 64))
        yield np.repeat(seen, 2, axis=0)[: len(names)].astype(np.float32)

    monkeypatch.setattr(looking, "features_of", in_pairs)
    check = looked_at(files, tmp_path)
    assert check.near_copies > check.used_images / 2
    groups: dict[str, set[str]] = {}
    for row in read_rows(tmp_path / "split.csv"):
        groups.setdefault(row.group or row.image, set()).add(row.subset)
    assert all(len(subsets) == 1 for subsets in groups.values())


def test_nothing_is_computed_that_nobody_asks_for(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(*given: object) -> np.ndarray:
        raise LookupError

    monkeypatch.setattr(looking, "features_of", computed)
    assert looked_at(files, tmp_path, near_copies=False).near_copies == 0
    with pytest.raises(LookupError):
        looked_at(files, tmp_path)
