import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from freeze_or_tune.analysis.statistics.paired import Correct, corrected, decide, difference

Z = float(norm.ppf(0.975))


def right(both: int, only: int, others: int, none: int, ours: bool) -> Correct:
    """Which images one of two schemes is right on: so many that both are, only it is, only the other is, none is."""
    return np.array([True] * both + [ours] * only + [not ours] * others + [False] * none)


def pair(both: int, ours: int, theirs: int, none: int) -> tuple[Correct, Correct]:
    return right(both, ours, theirs, none, True), right(both, ours, theirs, none, False)


def test_the_interval_is_agresti_and_mins() -> None:
    """Their formula for the data of their example: 53, 16 and 8, 9 of 86 (approval of a premier in two surveys)."""
    found = difference(*pair(53, 16, 8, 9), Z)
    n, b, c = 88, 16.5, 8.5
    apart, error = (b - c) / n, np.sqrt((b + c) - (b - c) ** 2 / n) / n
    assert found.value == pytest.approx(8 / 86)
    assert (found.low, found.high) == pytest.approx((apart - Z * error, apart + Z * error))


def test_an_interval_holds_its_share_of_true_differences() -> None:
    random, held = np.random.default_rng(0), 0
    for _ in range(1000):
        kinds = random.choice(4, 100, p=[0.6, 0.2, 0.1, 0.1])
        found = difference((kinds == 0) | (kinds == 1), (kinds == 0) | (kinds == 2), Z)
        held += found.low <= 0.1 <= found.high
    assert 930 <= held <= 975


def test_bounds_are_corrected_for_looks_and_rivals() -> None:
    assert corrected(1, 1) == pytest.approx(norm.ppf(0.95))
    assert corrected(3, 2) == pytest.approx(norm.ppf(1 - 0.05 / 6))


COST = {"frozen": 4.0, "tuned": 100.0}


@pytest.mark.parametrize(
    ("tuned_only", "frozen_only", "both", "winner", "verdict"),
    [
        (40, 5, 155, "tuned", "better"),
        (5, 40, 155, "frozen", "better"),
        (0, 0, 500, "frozen", "level"),  # the same answers: the cheaper
        (10, 10, 5000, "frozen", "level"),
        (12, 10, 5000, "frozen", "level"),  # tuning may be better, but by less than the margin
        (12, 8, 180, "tuned", "open"),  # the best guess is the more accurate
        (8, 12, 180, "frozen", "open"),
    ],
)
def test_the_verdict(tuned_only: int, frozen_only: int, both: int, winner: str, verdict: str) -> None:
    tuned, frozen = pair(both, tuned_only, frozen_only, 0)
    found = decide({"tuned": tuned, "frozen": frozen}, COST, Z, margin=0.02)
    assert (found.winner, found.verdict) == (winner, verdict)
    assert (found.more_images is None) == (verdict != "open")


def test_so_many_more_images_of_the_same_kind_decide_it() -> None:
    tuned, frozen = pair(180, 17, 8, 12)
    found = decide({"tuned": tuned, "frozen": frozen}, COST, Z, margin=0.02)
    assert found.verdict == "open"
    assert found.more_images is not None
    times = 1 + found.more_images / len(tuned)
    more = [np.tile(one, int(np.ceil(times)) + 1) for one in (tuned, frozen)]
    assert decide(dict(zip(("tuned", "frozen"), more, strict=True)), COST, Z, margin=0.02).verdict == "better"


def test_one_that_was_dropped_is_compared_on_the_images_it_saw() -> None:
    best, worst = pair(50, 40, 0, 10)
    found = decide({"a": np.tile(best, 2), "b": worst}, {"a": 1, "b": 2}, Z, 0.02)
    assert (found.winner, found.verdict, found.behind["b"].value) == ("a", "better", pytest.approx(0.4))


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=2, max_size=60))
def test_whatever_the_answers_the_winner_is_not_clearly_behind(answers: list[tuple[bool, bool, bool]]) -> None:
    schemes = dict(zip("abc", np.array(answers).T, strict=True))
    found = decide(schemes, {"a": 1, "b": 2, "c": 3}, Z, 0.02)
    assert found.leader == max("abc", key=lambda name: schemes[name].mean())
    assert found.behind[found.winner].low <= 0
    assert found.verdict == "level" or found.winner == found.leader
