import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from freeze_or_tune.records.distances import Distance
from freeze_or_tune.stages.distances.sides import standard_error
from freeze_or_tune.stages.distances.svm import held_out_accuracy, measure
from freeze_or_tune.study.settings import SvmSettings

from .files import saved

SETTINGS = SvmSettings(samples=400)


def cloud(count: int, seed: int, centre: float = 0.0, dimensions: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, 1, (count, dimensions)).astype(np.float32)


def test_separated_features_are_told_apart() -> None:
    assert held_out_accuracy((cloud(50, 0), cloud(50, 1)), (cloud(50, 2, 5), cloud(50, 3, 5)), SETTINGS) == 1


def test_accuracy_is_that_of_the_best_line() -> None:
    # Two Gaussians one deviation apart in each of 12 dimensions: Phi(sqrt(12) / 2) of the points are on their side.
    accuracy = held_out_accuracy((cloud(2000, 0), cloud(2000, 1)), (cloud(2000, 2, 1), cloud(2000, 3, 1)), SETTINGS)
    assert accuracy == pytest.approx(0.9584, abs=4 * standard_error(0.9584, 4000))


def test_the_scale_of_a_feature_does_not_matter() -> None:
    factors = np.float32(10) ** np.arange(-6, 6)
    sides = (cloud(100, 0), cloud(100, 1)), (cloud(100, 2, 0.3), cloud(100, 3, 0.3))
    scaled = [tuple(half * factors for half in side) for side in sides]
    assert held_out_accuracy(*scaled, SETTINGS) == pytest.approx(held_out_accuracy(*sides, SETTINGS), abs=0.011)


def test_the_record(tmp_path: Path) -> None:
    ours, theirs = saved(tmp_path / "a.npy", cloud(300, 0)), saved(tmp_path / "b.npy", cloud(200, 1, 0.5))
    measure("letters", "digits", ours, theirs, SETTINGS, 0, tmp_path / "d.json")
    record = Distance.read(tmp_path / "d.json")
    # Phi(sqrt(12) / 4) = .807; 200 images of each side, 100 held out.
    assert record.value == pytest.approx(0.807, abs=0.1)
    assert record.standard_error == pytest.approx((record.value * (1 - record.value) / 200) ** 0.5)
    assert (record.metric, record.source, record.target) == ("svm", "letters", "digits")
    assert (record.source_images, record.target_images) == (300, 200)


def test_a_dataset_cannot_be_told_from_itself(tmp_path: Path) -> None:
    # With 500 dimensions and 400 rows the SVM knows its rows by heart: rows on both sides would take it below chance.
    path = saved(tmp_path / "a.npy", cloud(800, 0, dimensions=500))
    measure("letters", "letters", path, path, SETTINGS, 0, tmp_path / "d.json")
    record = Distance.read(tmp_path / "d.json")
    assert record.value == pytest.approx(0.5, abs=3 * standard_error(0.5, 400))
    assert record.standard_error == pytest.approx(0.025, rel=0.05)
    measure("letters", "letters", path, path, SETTINGS, 0, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "d.json").read_bytes()


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    features = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.float32, (40_000, 500))  # 80 MB
    features[::7] = 1
    target = saved(tmp_path / "b.npy", cloud(300, 1, dimensions=500))
    settings = SETTINGS.model_copy(update={"samples": 100})
    tracemalloc.start()
    measure("letters", "digits", tmp_path / "a.npy", target, settings, 0, tmp_path / "d.json")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert Distance.read(tmp_path / "d.json").source_images == 40_000
    assert peak < 10e6
