"""How the advice fares: each dataset is left out of its evidence and advised on, and both ways are then compared."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from freeze_or_tune.analysis.advice.forecast import Given, NoForecast, Regression, measured
from freeze_or_tune.analysis.advice.weighing import decided, weigh
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.records.advice import Counsel, Forecast
from freeze_or_tune.study.levels import data_level, distance_level

Outcome = Literal["better", "tie", "worse"]
_OUTCOMES: tuple[Outcome, ...] = ("better", "tie", "worse")
RULES = ("the advice, without a race", "Table 3 of the paper", "always freeze", "always tune", "try both", "the oracle")
"""What may be followed. Of both, the one that is better on validation is kept, at the cost of both."""


def held_out(evidence: Evidence) -> pd.DataFrame:
    """One row a pair of tuned and frozen experiments, advised on without any experiment on its dataset.

    `from`..`to` is the forecast's interval, `constant_from`..`constant_to` that of a constant, of the ratio as it is
    measured; NaN where there is none. `advised` is what the experiments on other datasets lead to. `low`..`high` is the
    95 % interval of the ratio.
    """
    means = evidence.results.groupby(["target", "n", "scheme"])[["val_accuracy", "seconds"]].mean().to_dict("index")
    rows = []
    for dataset, own in evidence.tune_over_freeze().groupby("dataset", sort=False):
        others = Evidence(evidence.results[evidence.results["dataset"] != dataset], evidence.draws)
        regressions = _regressions(others)
        rows += [_advised(others, regressions, pair, means) for pair in own.to_dict("records")]
    return pd.DataFrame(rows)


def _regressions(others: Evidence) -> tuple[Regression, Regression] | None:
    """The forecast's, and that of a constant."""
    pairs = others.tune_over_freeze()
    try:
        return Regression.fit(pairs), Regression.fit(pairs, terms={})
    except NoForecast:
        return None


def _advised(
    others: Evidence, regressions: tuple[Regression, Regression] | None, pair: Mapping[Any, Any],
    means: Mapping[Any, Mapping[Any, float]],
) -> dict[str, Any]:  # fmt: skip
    """What the experiments on other datasets lead to, for one pair."""
    near = None if np.isnan(pair["cosine"]) else distance_level(pair["cosine"])
    theirs, ours = weigh(others, near, data_level(pair["n"]))
    intervals, printed = _foreseen(regressions, pair)
    tuned, frozen = (means[pair["target"], pair["n"], pair[name]] for name in ("scheme", "other_scheme"))
    return {
        "target": pair["target"], "n": pair["n"], "cosine": pair["cosine"], "paper": theirs or "nothing",
        "experiments": ours or "nothing", "advised": decided(theirs, ours, printed),
        **intervals, "ratio": pair["ratio"], "low": pair["low"], "high": pair["high"],
        "tuned": pair["numerator"], "frozen": pair["denominator"],
        # As the model's stage decides: of equals, the frozen one.
        "validation": "Tune" if tuned["val_accuracy"] > frozen["val_accuracy"] else "Freeze",
        "tuned_seconds": tuned["seconds"], "frozen_seconds": frozen["seconds"],
    }  # fmt: skip


_INTERVALS = ("foreseen", "from", "to", "constant_from", "constant_to")


def _foreseen(
    regressions: tuple[Regression, Regression] | None, pair: Mapping[Any, Any]
) -> tuple[dict[str, float], Forecast | None]:
    """What is foreseen of a measured ratio, and the forecast that the advice would print."""
    if regressions is None or np.isnan(pair["probe"]):
        return dict.fromkeys(_INTERVALS, np.nan), None
    given, error = Given.of_pairs(pair), float(measured(pair))
    ours, constant = (regression.interval(given, error) for regression in regressions)
    intervals = dict(zip(_INTERVALS, (ours.ratio, ours.low, ours.high, constant.low, constant.high), strict=True))
    try:
        return intervals, regressions[0].forecast(given)
    except NoForecast:
        return intervals, None


def outcome(tuned: bool, low: float, high: float) -> Outcome:
    """Whether tuning (or freezing) was better, by the interval of the ratio of tuned to frozen accuracy."""
    if low <= 1 <= high:
        return "tie"
    return "better" if tuned == (low > 1) else "worse"


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Of each rule: the mean points of accuracy lost to the better way, the mean seconds trained, and outcomes."""
    everywhere = [pd.Series([what] * len(table), table.index) for what in ("Freeze", "Tune", "Try both")]
    best = pd.Series(np.where(table["tuned"] > table["frozen"], "Tune", "Freeze"), table.index)
    followed = [table["advised"], table["paper"].replace("nothing", "Try both"), *everywhere, best]
    return pd.DataFrame([{"rule": rule, **_fared(table, said)} for rule, said in zip(RULES, followed, strict=True)])


def _fared(table: pd.DataFrame, said: "pd.Series[str]") -> dict[str, float | int]:
    tunes = np.where(said == "Try both", table["validation"], said) == "Tune"
    lost = table[["tuned", "frozen"]].max(axis=1) - np.where(tunes, table["tuned"], table["frozen"])
    cost = np.where(said != "Freeze", table["tuned_seconds"], 0) + np.where(said != "Tune", table["frozen_seconds"], 0)
    bounds = zip(tunes.tolist(), table["low"].tolist(), table["high"].tolist(), strict=True)
    found = [outcome(tuned, low, high) for tuned, low, high in bounds]
    return {
        "points lost": 100 * float(lost.mean()), "at most": 100 * float(lost.max()), "seconds": float(cost.mean()),
        **{one: found.count(one) for one in _OUTCOMES},
    }  # fmt: skip


def coverage(table: pd.DataFrame) -> tuple[int, int]:
    """How many ratios the forecast's interval held, of how many forecasts."""
    known = table.dropna(subset=["foreseen"])
    return int(known["ratio"].between(known["from"], known["to"]).sum()), len(known)


def widths(table: pd.DataFrame) -> tuple[float, float]:
    """Median factor between the ends of the forecasts' intervals, and of those of a constant."""
    known = table.dropna(subset=["foreseen"])
    pairs = (("from", "to"), ("constant_from", "constant_to"))
    ours, constant = (float((known[high] / known[low]).median()) for low, high in pairs)
    return ours, constant


def counsels(table: pd.DataFrame) -> dict[Counsel, int]:
    """How often each was advised."""
    found = table["advised"].value_counts().to_dict()
    return {"Tune": found.get("Tune", 0), "Freeze": found.get("Freeze", 0), "Try both": found.get("Try both", 0)}
