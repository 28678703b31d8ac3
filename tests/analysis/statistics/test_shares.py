import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from freeze_or_tune.analysis.statistics.shares import wilson


@given(st.integers(1, 3000).flatmap(lambda images: st.tuples(st.integers(0, images), st.just(images))))
def test_it_is_wilsons_and_holds_the_share_itself(given: tuple[int, int]) -> None:
    right, images = given
    low, high = wilson(right, images)
    assert (low, high) == pytest.approx(proportion_confint(right, images, method="wilson"), abs=1e-12)
    assert 0 <= low <= right / images <= high <= 1
