from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import distance

from freeze_or_tune.records.distances import Distance, MeanFeatures
from freeze_or_tune.stages.distances.means import cosine, measure, mmd
from freeze_or_tune.system.errors import UserError

RNG = np.random.default_rng(0)
RESPONSES = st.floats(0, 1000, allow_subnormal=False)  # what a ReLU lets through


def two_means() -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    return st.integers(1, 20).flatmap(
        lambda size: st.tuples(
            arrays(np.float64, size, elements=RESPONSES), arrays(np.float64, size, elements=RESPONSES)
        )
    )


@given(two_means())
def test_cosine_is_scipys(means: tuple[np.ndarray, np.ndarray]) -> None:
    source, target = means
    assume(source.max() > 1e-3 and target.max() > 1e-3)
    ours = cosine(source, target)
    assert ours == pytest.approx(distance.cosine(source, target), abs=1e-12)
    assert 0 <= ours <= 1 + 1e-12
    assert ours == cosine(target, source)


@given(arrays(np.float64, st.integers(1, 20), elements=RESPONSES))
def test_equal_means_are_exactly_0_apart(mean: np.ndarray) -> None:
    assume(mean.max() > 1e-3)
    assert cosine(mean, mean.copy()) == 0
    assert mmd(mean, mean.copy()) == 0


@given(two_means(), st.floats(1e-3, 1e3))
def test_cosine_does_not_see_the_length(means: tuple[np.ndarray, np.ndarray], factor: float) -> None:
    source, target = means
    assume(source.max() > 1e-3 and target.max() > 1e-3)
    assert cosine(factor * source, target) == pytest.approx(cosine(source, target), abs=1e-12)


def test_cosine_of_known_angles() -> None:
    assert cosine(np.array([1.0, 0]), np.array([0, 5.0])) == pytest.approx(1)
    assert cosine(np.array([1.0, 0]), np.array([2.0, 2.0])) == pytest.approx(1 - 0.5**0.5)
    # 1e-9 apart: 1 - cos would be rounded to 0.
    assert cosine(np.array([1.0, 0]), np.array([1.0, 1e-9])) == pytest.approx(5e-19, rel=1e-6)


def test_mmd_is_that_of_a_linear_kernel() -> None:
    source, target = RNG.random((30, 8)), RNG.random((20, 8)) + 0.3
    kernels = [
        np.mean([[x @ y for y in b] for x in a]) for a, b in ((source, source), (target, target), (source, target))
    ]
    expected = np.sqrt(kernels[0] + kernels[1] - 2 * kernels[2])
    ours = mmd(source.mean(0), target.mean(0))
    assert ours == pytest.approx(expected, rel=1e-9)
    assert mmd(3 * source.mean(0), 3 * target.mean(0)) == pytest.approx(3 * ours)


def averaged(path: Path, features: np.ndarray) -> Path:
    """Write the mean of features [N, D] as the stage of features leaves it."""
    MeanFeatures(images=len(features), mean=tuple(features.mean(0, dtype=np.float64))).write(path)
    return path


@pytest.mark.parametrize("metric", ["cosine", "mmd"])
def test_the_record(metric: str, tmp_path: Path) -> None:
    ours, theirs = RNG.random((7, 5)).astype(np.float32), RNG.random((9, 5)).astype(np.float32)
    measure(
        metric, "letters", "digits", averaged(tmp_path / "a.json", ours), averaged(tmp_path / "b.json", theirs),
        tmp_path / "out" / "d.json",
    )  # fmt: skip
    record = Distance.read(tmp_path / "out" / "d.json")
    means = ours.mean(0, dtype=np.float64), theirs.mean(0, dtype=np.float64)
    expected = {"cosine": distance.cosine(*means), "mmd": distance.euclidean(*means)}[metric]
    assert record.value == pytest.approx(expected, rel=1e-9)
    assert record == Distance(
        metric=metric, source="letters", target="digits", value=record.value, source_images=7, target_images=9
    )


@pytest.mark.parametrize("metric", ["cosine", "mmd"])
def test_a_source_is_exactly_0_from_itself(metric: str, tmp_path: Path) -> None:
    path = averaged(tmp_path / "a.json", RNG.random((50, 5)))
    measure(metric, "letters", "letters", path, path, tmp_path / "d.json")
    assert Distance.read(tmp_path / "d.json").value == 0


def test_a_dead_network_has_no_direction() -> None:
    with pytest.raises(UserError, match="the source network has died"):
        cosine(np.zeros(3), np.ones(3))


def test_a_mean_that_is_not_whole_is_no_mean(tmp_path: Path) -> None:
    path = averaged(tmp_path / "a.json", RNG.random((5, 3)))
    path.write_text(path.read_text()[:-20])
    whole = averaged(tmp_path / "b.json", RNG.random((5, 3)))
    # The source's may be a person's own file, `mean_features`; the target's never is.
    with pytest.raises(UserError, match=r"a\.json is not a complete meanfeatures result \(.*\)$"):
        measure("cosine", "letters", "digits", path, whole, tmp_path / "d.json")
    with pytest.raises(UserError, match=r"a\.json is not a complete meanfeatures result .*; delete it and run"):
        measure("cosine", "letters", "digits", whole, path, tmp_path / "d.json")


def test_an_estimated_mean_is_labelled_as_one(tmp_path: Path) -> None:
    MeanFeatures(images=0, mean=(0.1, 0.5, 0.2), estimated=True).write(tmp_path / "source.json")
    target = averaged(tmp_path / "target.json", RNG.random((5, 3)))
    measure("cosine", "imagenet", "digits", tmp_path / "source.json", target, tmp_path / "d.json")
    record = Distance.read(tmp_path / "d.json")
    assert (record.estimated, record.source_images, record.target_images) == (True, 0, 5)
    measure("cosine", "digits", "digits", target, target, tmp_path / "d.json")
    assert not Distance.read(tmp_path / "d.json").estimated
