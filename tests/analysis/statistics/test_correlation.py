"""Which metric predicts best: against scipy's Spearman, and in studies whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from freeze_or_tune.analysis.statistics.correlation import correlations, spearman
from freeze_or_tune.analysis.statistics.intervals import Evidence

VALUES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 9)), min_size=3, max_size=12)


@given(VALUES)
def test_rho_is_scipys_with_ties(values):
    one, other, ratio = np.array(values, float).T
    ours = spearman(np.array([one, other]), ratio)
    for rho, distances in zip(ours, (one, other), strict=True):
        if np.ptp(distances) and np.ptp(ratio):
            assert rho == pytest.approx(spearmanr(distances, ratio).statistic)
        else:
            assert np.isnan(rho)


@pytest.fixture
def study(results):
    """Six targets whose tuned accuracy grows with MMD; cosine is in no order."""
    for place, cosine in enumerate((0.4, 0.05, 0.5, 0.3, 0.02, 0.2)):
        target = f"t{place}"
        for n in (1, 10):
            results.experiment(target, n, "T1-7_R8", [0.4 + 0.09 * place], classes=50)
            results.experiment(target, n, "F1-7_R8", [0.5], classes=50)
        results.distance(target, "cosine", cosine)
        results.distance(target, "mmd", place)
    return Evidence.read(results.collect())


@pytest.mark.slow
def test_the_metric_that_orders_targets_as_their_ratios_do_comes_first(study):
    pairs = study.tune_over_freeze()
    mmd, cosine = correlations(study, pairs).itertuples()
    assert (mmd.metric, mmd.pairs, mmd.targets) == ("mmd", 12, 6)
    assert mmd.rho == pytest.approx(1, abs=0.05)
    assert mmd.low > 0.6
    assert cosine.metric == "cosine"
    assert cosine.rho == pytest.approx(spearmanr(pairs["cosine"], pairs["ratio"]).statistic)
    assert cosine.low < cosine.rho < cosine.high
    assert (mmd.behind_low, mmd.behind_high) == (0, 0)
    assert cosine.behind_low > 0


def test_two_targets_have_no_correlation(collected):
    accuracies = {(t, n, f"{m}1-7_R8"): [0.5] for t in "ab" for n in (1, 10) for m in "TF"}
    evidence = Evidence.read(collected(accuracies, {"a": 0.1, "b": 0.3}))
    assert correlations(evidence, evidence.tune_over_freeze()).empty


@pytest.mark.slow
def test_metrics_are_compared_on_the_same_pairs(study, results):
    for place in (0, 2, 4, 5):
        results.distance(f"t{place}", "svm", 0.5 + 0.1 * place)
    evidence = Evidence.read(results.collect())
    table = correlations(evidence, evidence.tune_over_freeze())
    assert set(table["metric"]) == {"mmd", "cosine", "svm"}
    assert set(table["targets"]) == {4}
