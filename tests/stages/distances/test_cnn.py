import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from freeze_or_tune.data.splits import Row, write_split
from freeze_or_tune.networks.cifar import shrink
from freeze_or_tune.records.distances import Distance
from freeze_or_tune.stages.distances import cnn
from freeze_or_tune.stages.distances.cnn import Side, held_out_accuracy, measure
from freeze_or_tune.stages.distances.sides import standard_error
from freeze_or_tune.study.settings import CnnSettings

from .files import stored

SETTINGS = CnnSettings(samples=160, iterations=60, batch=32)


def stripes(count: int, axis: int, seed: int) -> np.ndarray:
    """Noisy stripes with a random phase: the same colours and the same mean image whichever way they run."""
    generator = np.random.default_rng(seed)
    phase = generator.integers(0, 4, count)
    place = np.indices((32, 32))[axis][None] + phase[:, None, None]
    grey = 128 + 80 * np.sign(np.sin((place + 0.5) * np.pi / 2))
    pixels = grey[..., None] + generator.normal(0, 15, (count, 32, 32, 3))
    return pixels.clip(0, 255).astype(np.uint8)


def distance(tmp_path: Path, ours: np.ndarray, theirs: np.ndarray | None, settings: CnnSettings = SETTINGS) -> Distance:
    first = Side(stored(tmp_path / "a.npy", ours))
    second = first if theirs is None else Side(stored(tmp_path / "b.npy", theirs))
    measure("letters", "digits", first, second, settings, 0, 1, tmp_path / "d.json")
    return Distance.read(tmp_path / "d.json")


@pytest.mark.slow
def test_textures_are_told_apart(tmp_path: Path) -> None:
    record = distance(tmp_path, stripes(200, 0, seed=1), stripes(170, 1, seed=2))
    assert record.value > 0.95
    assert record.standard_error == pytest.approx((record.value * (1 - record.value) / 160) ** 0.5)
    assert (record.metric, record.source, record.target) == ("cnn", "letters", "digits")
    assert (record.source_images, record.target_images) == (200, 170)


@pytest.mark.slow
@pytest.mark.parametrize(
    "crippled", [{"weight_decay": 500, "momentum": 0}, {"learning_rate": 1e-9}, {"batch": 1, "iterations": 1}]
)
def test_the_settings_are_followed(crippled: dict[str, float], tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"iterations": 20} | crippled)
    assert distance(tmp_path, stripes(60, 0, seed=1), stripes(60, 1, seed=2), settings).value < 0.8
    settings = SETTINGS.model_copy(update={"iterations": 20})
    assert distance(tmp_path, stripes(60, 0, seed=1), stripes(60, 1, seed=2), settings).value > 0.95


@pytest.mark.slow
def test_a_dataset_cannot_be_told_from_itself(tmp_path: Path) -> None:
    record = distance(tmp_path, stripes(280, 0, seed=1), None)
    assert record.value == pytest.approx(0.5, abs=3 * standard_error(0.5, 140))
    # 280 images are two sides of 140, and half of each is held out.
    assert record.standard_error == pytest.approx((record.value * (1 - record.value) / 140) ** 0.5)


@pytest.mark.slow
def test_the_accuracy_depends_on_the_seed_alone() -> None:
    settings = CnnSettings(iterations=10, batch=16)
    # Two samples of one kind: nothing is to be learnt, so the accuracy is a matter of chance.
    sides = [shrink(torch.from_numpy(stripes(80, 0, seed))).split(40) for seed in (1, 2)]
    accuracies = []
    for disturbance in range(2):
        torch.manual_seed(disturbance)
        accuracies.append([held_out_accuracy(*sides, settings, seed) for seed in range(6)])
    assert accuracies[0] == accuracies[1]
    assert len(set(accuracies[0])) > 1


@pytest.mark.slow
def test_only_the_sample_of_a_side_is_looked_at(tmp_path: Path) -> None:
    store = stored(tmp_path / "a.npy", np.concatenate([stripes(60, 0, seed=1), stripes(60, 1, seed=3)]))
    subsets = ["train"] * 60 + ["test"] * 60
    rows = [Row(f"{i:04}.png", "stripes", 0, subset) for i, subset in enumerate(subsets)]
    write_split(rows, tmp_path / "n60.csv")
    side = Side(store, tmp_path / "n60.csv")
    assert side.names() == [f"{i:04}.png" for i in range(60)]
    assert torch.equal(side.images(["0007.png"]), Side(store).images(["0007.png"]))
    # The other half of the store, which looks like the target, would take the accuracy down to 3/4.
    measure(
        "a", "b", side, Side(stored(tmp_path / "b.npy", stripes(60, 1, seed=2))), SETTINGS, 0, 1, tmp_path / "d.json"
    )
    record = Distance.read(tmp_path / "d.json")
    assert record.value > 0.95
    assert (record.source_images, record.target_images) == (60, 60)


def test_memory_does_not_grow_with_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn, "_CHUNK", 20)
    pixels = np.random.default_rng(0).integers(0, 256, (300, 128, 128, 3), np.uint8)  # 15 MB
    side = Side(stored(tmp_path / "a.npy", pixels))
    tracemalloc.start()
    small = side.images(side.names())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert small.shape == (300, 3, 32, 32)
    assert peak < 4e6
