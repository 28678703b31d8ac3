"""What experiments on other images, and the paper, say of these: by levels, and by a forecast."""

from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.analysis.statistics.verdicts import recommendations
from freeze_or_tune.records.advice import Counsel, Forecast
from freeze_or_tune.study.levels import Level

_COUNSEL: dict[str, Counsel] = {"Freeze": "Freeze", "Tune": "Tune", "Try Freeze or Tune": "Try both"}


def weigh(known: Evidence, near: Level | None, much: Level) -> tuple[Counsel | None, Counsel | None]:
    """What the paper's Table 3 says of these levels, and our own; None: nothing, for want of a distance or of pairs."""
    if near is None:
        return None, None
    table = recommendations(known).set_index(["distance_level", "data_level"])
    return _COUNSEL[paper.ADVICE[near, much]], _COUNSEL.get(str(table.loc[(near, much), "advice"]))


def decided(theirs: Counsel | None, ours: Counsel | None, forecast: Forecast | None) -> Counsel:
    """What follows without a race: a forecast that is sure; else what both tables say; else both ways are tried."""
    if forecast is not None:
        return "Tune" if forecast.low > 1 else "Freeze" if forecast.high < 1 else "Try both"
    if theirs is None:
        return "Try both"
    return theirs if ours in (None, theirs) else "Try both"
