"""The trend line: a geometric mean in a sliding Gaussian window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.analysis.statistics.trend import trend

POINTS = st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 100)), min_size=2, max_size=8)


@pytest.mark.parametrize("x", [[], [0.3], [0.3, 0.3, 0.3]])
def test_there_is_no_line_through_fewer_than_two_places(x):
    places, means = trend(np.array(x), np.full(len(x), 1.5), 0.1)
    assert (len(places), len(means)) == (0, 0)


def test_two_points_have_the_weights_of_the_formula():
    places, means = trend(np.array([0.0, 1.0]), np.array([1.0, 4.0]), 0.5, points=3)
    far = np.exp(-0.5 * (1 / 0.5) ** 2)  # weight of the other point, seen from one of the two
    assert places.tolist() == [0, 0.5, 1]
    assert means == pytest.approx([4 ** (far / (1 + far)), 2, 4 ** (1 / (1 + far))])


def test_a_gap_of_many_windows_is_bridged_without_nan():
    _, means = trend(np.array([0.0, 1.0]), np.array([1.0, 4.0]), 0.001)
    assert means[[0, 50, 100]] == pytest.approx([1, 2, 4])


@given(POINTS, st.floats(0.01, 1))
def test_it_stays_within_the_ratios_and_spans_x(points, bandwidth):
    x, ratio = np.array(points).T
    places, means = trend(x, ratio, bandwidth)
    if len(set(x)) > 1:
        assert (places[0], places[-1]) == (x.min(), x.max())
        assert means.min() >= ratio.min() * (1 - 1e-9)
        assert means.max() <= ratio.max() * (1 + 1e-9)
