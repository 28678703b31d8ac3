"""Intervals against scipy, exact methods and plain loops; what is paired, and what a few runs can tell."""

import random

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap

from freeze_or_tune.analysis.results.table import read_results
from freeze_or_tune.analysis.statistics.intervals import BOTH, IMAGES_ONLY, Evidence, interval, resample
from freeze_or_tune.records.correctness import unpack

T, F = "T1-7_R8", "F1-7_R8"


def right(table, target, n, scheme):
    """Which images were right, in all runs of an experiment: [runs, images]."""
    rows = table[(table["target"] == target) & (table["n"] == n) & (table["scheme"] == scheme)]
    return np.array([unpack(text, images) for text, images in zip(rows["correct"], rows["test_images"], strict=True)])


def test_one_runs_interval_is_wilsons_and_says_that_seeds_are_not_in_it(collected):
    table = Evidence.read(collected({("a", 1, T): [0.85], ("a", 1, F): [1.0]}, {})).cells()
    for row, count in zip(table.itertuples(), (170, 200), strict=True):
        theirs = binomtest(count, 200).proportion_ci(method="wilson")
        assert (row.low, row.high) == pytest.approx((theirs.low, theirs.high))
        assert row.over == IMAGES_ONLY


def test_without_errors_in_any_run_the_interval_still_has_a_width(collected):
    (row,) = Evidence.read(collected({("a", 1, T): [1.0, 1.0]}, {})).cells().itertuples()
    assert (row.low, row.high) == pytest.approx(tuple(binomtest(200, 200).proportion_ci(method="wilson")))
    assert row.over == IMAGES_ONLY


def test_an_accuracy_is_never_outside_its_interval(results):
    # With 260 test images Wilson's bounds are rounded to just inside 0 and 1.
    results.experiment("a", 1, T, [1.0], classes=13)
    results.experiment("a", 1, F, [0.0], classes=13)
    table = Evidence.read(results.collect()).cells()
    assert (table.low <= table.test_accuracy).all()
    assert (table.test_accuracy <= table.high).all()


@pytest.mark.slow
def test_one_runs_ratio_is_scipys_paired_bootstrap(synthetic):
    table = read_results(synthetic)
    table = table[table["run"] == 0]
    pairs = Evidence.of(table, 4000).tune_over_freeze()
    for target, n in (("latin-b", 10), ("digits", 100)):
        row = pairs[(pairs["target"] == target) & (pairs["n"] == n)].iloc[0]
        tuned, frozen = right(table, target, n, T)[0], right(table, target, n, F)[0]
        theirs = bootstrap(
            (tuned, frozen), lambda a, b, axis=-1: a.mean(axis) / b.mean(axis), paired=True, method="percentile",
            n_resamples=4000, rng=0,
        ).confidence_interval  # fmt: skip
        assert (row.low, row.high) == pytest.approx(tuple(theirs), abs=0.012)
        assert row.over == IMAGES_ONLY


def test_pairing_makes_the_interval_of_a_ratio_narrower(results):
    numbers = np.random.default_rng(0)
    easy = numbers.random(200) < 0.7
    for n, other in ((1, easy), (2, numbers.permutation(easy))):
        for scheme, bits in ((T, easy ^ (numbers.random(200) < 0.05)), (F, other)):
            results.experiment("a", n, scheme, [0], correct=[bits.tolist()])
    paired, unpaired = Evidence.read(results.collect()).tune_over_freeze().itertuples()
    assert paired.high - paired.low < 0.6 * (unpaired.high - unpaired.low)


def by_loops(matrices, draws, random):
    """Pigeonhole bootstrap of the ratio of two experiments, one image and one run at a time."""
    ratios = []
    for _ in range(draws):
        images = [random.randrange(len(matrices[0][0])) for _ in matrices[0][0]]
        means = []
        for matrix in matrices:
            runs = [random.randrange(len(matrix)) for _ in range(max(1, len(matrix) - 1))]
            means.append(sum(matrix[run][image] for run in runs for image in images) / len(runs) / len(images))
        ratios.append(means[0] / means[1])
    return sorted(ratios)


def test_several_runs_give_the_interval_of_plain_loops(synthetic):
    evidence = Evidence.read(synthetic)
    row = evidence.tune_over_freeze().set_index(["target", "n"]).loc[("solar-cells", 10)]
    matrices = [right(evidence.results, "solar-cells", 10, scheme).tolist() for scheme in (T, F)]
    ratios = by_loops(matrices, 2000, random.Random(3))
    assert (row.low, row.high) == pytest.approx((ratios[50], ratios[1950]), abs=0.02)
    assert row.over == BOTH


@pytest.mark.slow
def test_the_spread_over_runs_is_not_understated(results):
    """Where images play no part, the variance is that of the mean of the runs: s^2 / R."""
    accuracies = [0.2, 0.5, 0.8]
    correct = [[i % 1000 < 1000 * a for i in range(20_000)] for a in accuracies]
    results.experiment("a", 1, T, [0, 0, 0], classes=1000, correct=correct)
    (draws,) = resample(read_results(results.collect()), 2000).values()
    assert draws.var() == pytest.approx(np.var(accuracies, ddof=1) / 3, rel=0.08)


def test_draws_do_not_depend_on_other_targets(synthetic):
    table = read_results(synthetic)
    alone = resample(table[table["target"] == "greek"], 20)
    assert len(alone) == 18
    everything = resample(table, 20)
    assert all((alone[key] == everything[key]).all() for key in alone)


def test_memory_is_bounded_without_changing_the_draws(synthetic, monkeypatch):
    table = read_results(synthetic)
    whole = resample(table, 50)
    monkeypatch.setattr("freeze_or_tune.analysis.statistics.intervals._CHUNK", 700)
    chunked = resample(table, 50)
    assert all((whole[key] == chunked[key]).all() for key in whole)


def test_an_interval_is_of_observed_draws_infinite_ones_among_them():
    draws = np.array([*range(1, 1000), np.inf, np.nan])
    assert interval(draws) == (25, 975)
    assert interval(np.full(100, np.inf)) == (np.inf, np.inf)
    assert np.isnan(interval(np.array([np.nan]))).all()


@pytest.mark.slow
def test_a_level_has_the_coverage_that_it_claims(results):
    """Of 200 true ratios of 1 about 95 % lie in their intervals."""
    numbers = np.random.default_rng(2)
    for n in range(1, 201):
        for scheme in (T, F):
            results.experiment("a", n, scheme, [0], correct=[(numbers.random(200) < 0.6).tolist()])
    pairs = Evidence.of(read_results(results.collect()), 500).tune_over_freeze()
    covered = ((pairs["low"] <= 1) & (pairs["high"] >= 1)).sum()
    assert binomtest(int(covered), 200, 0.95).pvalue > 0.001
