from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.stages.distances.sides import draw_samples, labels, load_features, standard_error
from freeze_or_tune.system.errors import UserError

from .files import saved

SIZES = st.integers(2, 60)


@pytest.mark.slow
@given(SIZES, SIZES, SIZES, st.integers(0, 2**63 - 1))
def test_sides_are_equally_large_and_halves_disjoint(source: int, target: int, samples: int, seed: int) -> None:
    sides = draw_samples(source, target, samples, seed, same=False)
    count = min(source, target, samples)
    for (train, held_out), size in zip(sides, (source, target), strict=True):
        assert (len(train), len(held_out)) == (count // 2, count - count // 2)
        assert len({*train.tolist(), *held_out.tolist()}) == count
        assert {*train.tolist(), *held_out.tolist()} <= set(range(size))


@given(st.integers(4, 60), SIZES, st.integers(0, 2**63 - 1))
def test_no_row_of_one_dataset_is_on_both_sides(size: int, samples: int, seed: int) -> None:
    (train, held_out), (train_2, held_out_2) = draw_samples(size, size, samples, seed, same=True)
    count = min(size // 2, samples)
    assert len(train) == len(train_2) == count // 2
    assert len(held_out) == len(held_out_2) == count - count // 2
    rows = np.concatenate([train, held_out, train_2, held_out_2]).tolist()
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(range(size))


@pytest.mark.parametrize("same", [True, False])
def test_samples_depend_on_the_seed(same: bool) -> None:
    first, again, other = (
        np.concatenate([rows for side in draw_samples(90, 90, 30, seed, same=same) for rows in side])
        for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_samples_come_from_everywhere() -> None:
    sides = draw_samples(1000, 500, 400, 0, same=False)
    for (train, held_out), size in zip(sides, (1000, 500), strict=True):
        for rows in (train, held_out):
            # The mean of 200 rows drawn evenly is size / 2, give or take size / sqrt(12 * 200).
            assert rows.mean() == pytest.approx(size / 2, abs=4 * size / np.sqrt(12 * 200))


def test_labels() -> None:
    assert labels(3, 2).tolist() == [0, 0, 0, 1, 1]


def test_the_standard_error_is_the_spread_of_accuracies() -> None:
    accuracies = np.random.default_rng(0).binomial(200, 0.8, 100_000) / 200
    assert standard_error(0.8, 200) == pytest.approx(accuracies.std(), rel=0.02)
    assert standard_error(1.0, 50) == 0


def test_features_are_read_back(tmp_path: Path) -> None:
    features = np.random.default_rng(0).random((5, 3)).astype(np.float32)
    np.testing.assert_array_equal(load_features(saved(tmp_path / "f.npy", features)), features)


@pytest.mark.parametrize("kept", [0, 5, 60, 128, 200, -1])
def test_a_truncated_file(kept: int, tmp_path: Path) -> None:
    path = saved(tmp_path / "f.npy", np.ones((50, 3)))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"f\.npy is damaged .* delete it and run snakemake again"):
        load_features(path)


@pytest.mark.parametrize(("source", "target", "same"), [(1, 9, False), (9, 1, False), (3, 3, True)])
def test_too_few_images_for_a_classifier(source: int, target: int, same: bool) -> None:
    with pytest.raises(UserError, match=f"there are {source} and {target}"):
        draw_samples(source, target, 100, 0, same=same)
