"""Figure 2 with a star: where one's own images lie among the experiments."""

from typing import NamedTuple

from matplotlib.figure import Figure

from freeze_or_tune.analysis.show.figures import tuning
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.records.advice import Forecast


class Star(NamedTuple):
    """Images a class, cosine distance, and the ratio that is foreseen, if one is."""

    n: int
    cosine: float
    forecast: Forecast | None


def starred(evidence: Evidence, star: Star) -> Figure:
    """Figure 2 of the experiments and the star; its bar, the forecast's interval, may leave the axes.

    Without a forecast it is hollow and stands at 1: only its place along the axis then means something.
    """
    figure = tuning(evidence)
    ratio, colour = (star.forecast.ratio, "#F0E442") if star.forecast else (1.0, "white")
    for axes, x in zip(figure.axes, (star.n, star.cosine), strict=True):
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        if star.forecast:
            axes.plot([x, x], [star.forecast.low, star.forecast.high], "-", color="black", linewidth=1, zorder=4)
        axes.plot(x, ratio, "*", color=colour, markersize=14, markeredgecolor="black", markeredgewidth=0.8, zorder=5)
        axes.set_xlim(min(left, x / 1.2), max(right, 1.2 * x))
        if not bottom < ratio < top:
            axes.set_ylim(min(bottom, ratio / 1.1), max(top, ratio * 1.1))
    return figure
