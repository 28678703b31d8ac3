"""Two schemes on the same images: how far apart they are, and which of several has won."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from freeze_or_tune.records.race import Verdict

Correct = NDArray[np.bool_]
LEVEL = 0.05
"""Of the one-sided tests, all looks and rivals together."""


class Difference(NamedTuple):
    """Of two accuracies on the same images; `low` and `high` are one-sided bounds."""

    value: float
    low: float
    high: float
    deviation: float
    """Standard deviation of a single image's difference."""


NONE = Difference(0.0, 0.0, 0.0, 0.0)
"""Of a scheme from itself."""


def difference(ours: Correct, theirs: Correct, z: float) -> Difference:
    """Ours less theirs, with Agresti and Min's interval (2005, doi:10.1002/sim.1781): half an image in each cell."""
    n = len(ours)
    only_ours, only_theirs = (float((a & ~b).sum()) + 0.5 for a, b in ((ours, theirs), (theirs, ours)))
    apart = (only_ours - only_theirs) / (n + 2)
    deviation = math.sqrt((only_ours + only_theirs) / (n + 2) - apart**2)
    reach = z * deviation / math.sqrt(n + 2)
    return Difference(float(ours.mean() - theirs.mean()), apart - reach, apart + reach, deviation)


def corrected(looks: int, rivals: int) -> float:
    """Quantile of a bound that holds at LEVEL over all looks and rivals (Bonferroni)."""
    return float(norm.ppf(1 - LEVEL / max(1, looks * rivals)))


class Decision(NamedTuple):
    """What a race says so far."""

    leader: str
    winner: str
    verdict: Verdict
    behind: dict[str, Difference]
    """By scheme: the leader's accuracy less its own."""
    more_images: int | None
    """Images that would have to be tested besides, where the verdict is open."""


def decide(correct: Mapping[str, Correct], cost: Mapping[str, float], z: float, margin: float) -> Decision:
    """Weigh schemes by which images each is right on, in the same order; one tested on fewer of them has fallen behind.

    The leader is the most accurate of those that were tested on all images. It is `better` if all others are behind it
    beyond doubt. The cheapest of those that are not is `level` if no other can be better by more than the margin. Else
    it is open, and the leader is the best guess.
    """
    most = max(map(len, correct.values()))
    whole = [scheme for scheme, right in correct.items() if len(right) == most]
    leader = min(whole, key=lambda scheme: (-correct[scheme].mean(), cost[scheme]))
    behind = {
        scheme: difference(correct[leader][: len(right)], right, z) if scheme != leader else NONE
        for scheme, right in correct.items()
    }
    contenders = [scheme for scheme in whole if behind[scheme].low <= 0]
    if len(contenders) == 1:
        return Decision(leader, leader, "better", behind, None)
    cheapest = min(contenders, key=cost.__getitem__)
    ahead = {scheme: difference(correct[scheme], correct[cheapest], z) for scheme in contenders if scheme != cheapest}
    if all(other.high <= margin for other in ahead.values()):
        return Decision(leader, cheapest, "level", behind, None)
    return Decision(leader, leader, "open", behind, max(_missing(other, most, z, margin) for other in ahead.values()))


def _missing(apart: Difference, images: int, z: float, margin: float) -> int:
    """Images until the bounds would tell, if the difference stays what it is."""
    gap = max(abs(apart.value), margin - apart.value)
    return max(1, math.ceil((z * apart.deviation / gap) ** 2) - images)
