import numpy as np
import pytest
from scipy.special import softmax

from freeze_or_tune.analysis.statistics.calibration import calibration_error, temperature


def drawn(heat: float, images: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `heat` times too large, and labels drawn from what the right ones say."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (images, 5))
    labels = np.array([random.choice(5, p=row) for row in softmax(logits, axis=1)])
    return heat * logits, labels


@pytest.mark.parametrize("heat", [0.5, 1, 4])
def test_the_temperature_is_found(heat: float) -> None:
    assert temperature(*drawn(heat, 5000)) == pytest.approx(heat, rel=0.08)


def test_few_images_that_are_all_right_do_not_ask_for_certainty() -> None:
    logits = np.eye(3)[[0, 1, 2, 0]] * 2
    assert 0.3 < temperature(logits, np.array([0, 1, 2, 0])) < 1


def test_the_right_temperature_makes_probabilities_true() -> None:
    logits, labels = drawn(4, 5000)
    assert calibration_error(softmax(logits, axis=1), labels) > 0.15
    assert calibration_error(softmax(logits / 4, axis=1), labels) < 0.03


def test_the_error_by_hand() -> None:
    """Two images at .9, one of them right, and two at .6, both right: half of .4 and half of .4."""
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    assert calibration_error(probabilities, np.array([0, 1, 0, 0])) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)
