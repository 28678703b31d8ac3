"""How the advice fares: each target is left out of its evidence and advised on, and both ways are then compared."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from freeze_or_tune.analysis.advice.counsel import weigh
from freeze_or_tune.analysis.advice.forecast import NoForecast, Regression
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.study.levels import data_level, distance_level

Outcome = Literal["better", "tie", "worse"]
_OUTCOMES: tuple[Outcome, ...] = ("better", "tie", "worse")


def held_out(evidence: Evidence) -> pd.DataFrame:
    """One row a pair of tuned and frozen experiments of known distance, advised on without its target.

    `chosen` is what one ends up with (of "Try both", the one with the higher validation accuracy); `outcome` is a tie
    where the ratio's 95 % interval holds 1. `from`..`to` is the forecast's interval, NaN where there is none.
    """
    validation = evidence.results.groupby(["target", "n", "scheme"])["val_accuracy"].mean().to_dict()
    rows = []
    for target, own in evidence.tune_over_freeze().dropna(subset="cosine").groupby("target", sort=False):
        others = Evidence(evidence.results[evidence.results["target"] != target], evidence.draws)
        rows += [_advised(others, pair, validation) for pair in own.to_dict("records")]
    return pd.DataFrame(rows)


def _advised(others: Evidence, pair: Mapping[Any, Any], validation: Mapping[Any, float]) -> dict[str, Any]:
    """What the experiments on other targets lead to, for one pair."""
    target, n, cosine, low, high = (pair[name] for name in ("target", "n", "cosine", "low", "high"))
    theirs, ours, advice = weigh(others, distance_level(cosine), data_level(n))
    tuned, frozen = (validation[target, n, pair[scheme]] for scheme in ("scheme", "other_scheme"))
    # As the model's stage decides: of equals, the frozen one.
    chosen = ("Tune" if tuned > frozen else "Freeze") if advice == "Try both" else advice
    try:
        foreseen = Regression.fit(others.tune_over_freeze()).forecast(n, cosine)
        forecast = {"foreseen": foreseen.ratio, "from": foreseen.low, "to": foreseen.high}
    except NoForecast:
        forecast = dict.fromkeys(("foreseen", "from", "to"), np.nan)
    return {
        "target": target, "n": n, "cosine": cosine, "paper": theirs, "experiments": ours or "nothing",
        "advice": advice, "chosen": chosen, "ratio": pair["ratio"], "low": low, "high": high,
        "outcome": outcome(chosen == "Tune", low, high), **forecast,
    }  # fmt: skip


def outcome(tuned: bool, low: float, high: float) -> Outcome:
    """Whether tuning (or freezing) was better, by the interval of the ratio of tuned to frozen accuracy."""
    if low <= 1 <= high:
        return "tie"
    return "better" if tuned == (low > 1) else "worse"


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """How often the advice, its "Try both" apart, and two rules of thumb ended with the better or a tie."""
    both = table["advice"] == "Try both"
    bounds = list(zip(table["low"].tolist(), table["high"].tolist(), strict=True))
    rules: dict[str, list[Outcome]] = {
        "the advice": table["outcome"].tolist(),
        "... where it named one": table.loc[~both, "outcome"].tolist(),
        '... where it said "Try both"': table.loc[both, "outcome"].tolist(),
        "always tune": [outcome(True, low, high) for low, high in bounds],
        "always freeze": [outcome(False, low, high) for low, high in bounds],
    }
    return pd.DataFrame({"rule": rule} | {o: found.count(o) for o in _OUTCOMES} for rule, found in rules.items())


def coverage(table: pd.DataFrame) -> tuple[int, int]:
    """How many ratios the forecast's interval held, of how many forecasts."""
    known = table.dropna(subset=["foreseen"])
    return int(known["ratio"].between(known["from"], known["to"]).sum()), len(known)
