import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress

from freeze_or_tune.analysis.advice.forecast import NoForecast, Regression

COSINES = {"near": 0.05, "mid": 0.3, "far": 0.5, "farther": 0.7}
SIZES = (1, 10, 100)


def experiments(noise: float = 0.0, by_target: float = 0.0, targets: int = 4, seed: int = 0) -> pd.DataFrame:
    """Pairs whose log ratio is -0.05 + 0.04 log10(n) + 0.2 cosine, and errors of each pair and of each target."""
    random = np.random.default_rng(seed)
    rows = []
    for target, cosine in list(COSINES.items())[:targets]:
        own = by_target * random.normal()
        for n in SIZES:
            log_ratio = -0.05 + 0.04 * math.log10(n) + 0.2 * cosine + noise * random.normal() + own
            rows.append({"target": target, "n": n, "cosine": cosine, "ratio": math.exp(log_ratio)})
    return pd.DataFrame(rows)


def test_a_law_without_noise_is_found_and_foretold() -> None:
    fitted = Regression.fit(experiments())
    np.testing.assert_allclose(fitted.coefficients, [-0.05, 0.04, 0.2], atol=1e-9)
    foreseen = fitted.forecast(25, 0.6)
    assert foreseen.ratio == pytest.approx(math.exp(-0.05 + 0.04 * math.log10(25) + 0.12))
    assert foreseen.low == pytest.approx(foreseen.high)
    assert foreseen.typical_error == pytest.approx(1)
    assert (foreseen.pairs, foreseen.targets) == (12, 4)
    assert foreseen.formula == "ln(tuned / frozen) = -0.050 +0.040 log10(images a class) +0.200 cosine"


def test_the_error_is_that_of_targets_left_out() -> None:
    # Nothing depends on size here, so that leaving a target out is a regression on cosine alone.
    table = experiments(by_target=0.3)
    table["ratio"] = table.groupby("target")["ratio"].transform("first")
    errors = []
    for target, cosine in COSINES.items():
        others = table[table["target"] != target]
        line = linregress(others["cosine"], np.log(others["ratio"]))
        errors.append(
            line.intercept + line.slope * cosine - math.log(table.set_index("target")["ratio"][target].iloc[0])
        )
    wanted = math.exp(math.sqrt(np.mean(np.square(errors))))
    assert Regression.fit(table).forecast(10, 0.2).typical_error == pytest.approx(wanted)


@pytest.mark.slow
def test_the_interval_holds_new_targets_as_often_as_it_says() -> None:
    random, held, draws = np.random.default_rng(1), 0, 400
    for seed in range(draws):
        foreseen = Regression.fit(experiments(noise=0.05, by_target=0.1, seed=seed)).forecast(10, 0.4)
        truth = -0.05 + 0.04 + 0.08 + 0.05 * random.normal() + 0.1 * random.normal()
        held += foreseen.low <= math.exp(truth) <= foreseen.high
    assert held / draws > 0.93  # 0.95 is promised; errs on the wide side


def test_far_from_the_experiments_the_interval_is_wider() -> None:
    fitted = Regression.fit(experiments(noise=0.1))
    widths = [
        math.log(f.high / f.low) for f in (fitted.forecast(10, 0.4), fitted.forecast(10, 1), fitted.forecast(9999, 1))
    ]
    assert widths == sorted(widths)


def test_a_ratio_of_zero_and_an_unknown_distance_are_no_evidence() -> None:
    table = experiments()
    odd = pd.DataFrame([("near", 1, 0.05, 0.0), ("new", 5, math.nan, 9.0)], columns=table.columns)
    assert Regression.fit(pd.concat([table, odd])).pairs == 12


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (experiments(targets=2), "it takes experiments on 3 targets of known distance, there are 2"),
        (experiments().iloc[:0], "there are 0"),
        (experiments(targets=3).query("n == 1"), "too few sizes or distances"),
        (experiments(targets=3).assign(cosine=0.5), "too few sizes or distances"),
    ],
)
def test_too_little_to_learn_from_is_said(table: pd.DataFrame, words: str) -> None:
    with pytest.raises(NoForecast, match=words):
        Regression.fit(table)
