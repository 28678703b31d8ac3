"""The advice as a picture: how far up the networks one's images profit, and how the race went."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from freeze_or_tune.analysis.show.style import DEPTH_LOOKS, GREY, WIDTH, say
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.study.schemes import Scheme

_SOURCES = len(DEPTH_LOOKS)
"""More profiles than these would hide each other; the most telling are shown."""


def picture(advice: Advice) -> Figure:
    """The profile of each source on the left, the schemes of the race on the right."""
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _profiles(left, advice)
    _race(right, advice)
    return figure


def _profiles(axes: Axes, advice: Advice) -> None:
    for profile, look in zip(advice.profiles[:_SOURCES], DEPTH_LOOKS, strict=False):
        # From the first block to the last, however many there are: networks of different depth share the axis.
        steps = max(1, len(profile.blocks) - 1)
        x = [100 * place / steps for place in range(len(profile.blocks))]
        accuracies = [100 * probe.logistic for probe in profile.blocks]
        axes.plot(x, accuracies, "-", marker=look.marker, color=look.color, label=profile.source, markersize=3.5)
        low, high = [100 * probe.low for probe in profile.blocks], [100 * probe.high for probe in profile.blocks]
        axes.fill_between(x, low, high, color=look.color, alpha=0.12, linewidth=0)
        neighbours = [100 * probe.neighbours for probe in profile.blocks]
        axes.plot(x, neighbours, ":", color=look.color, linewidth=1)
    axes.axhline(100 / advice.profiles[0].classes, color=GREY, linewidth=0.8, linestyle="--", label="chance")
    axes.set(
        xlabel="Block, from the first to the features (%)", ylabel="Right, cross-validated (%)", ylim=(0, 102),
        title="What each block tells",
    )  # fmt: skip
    axes.legend(title="logistic regression; dotted: neighbours", title_fontsize=7, loc="best")


def _race(axes: Axes, advice: Advice) -> None:
    axes.set_title("The race")
    race = advice.measured
    if race is None:
        axes.axis("off")
        say(axes, "no race")
        return
    for place, raced in enumerate(race.schemes):
        won = raced.scheme == race.winner
        middle, low, high = (100 * value for value in (raced.accuracy, raced.low, raced.high))
        axes.errorbar(
            [middle], [place], xerr=[[middle - low], [high - middle]], fmt="o", capsize=3,
            color=DEPTH_LOOKS[0].color if won else GREY,
        )  # fmt: skip
    axes.set_yticks(range(len(race.schemes)), [Scheme.parse(raced.scheme).paper for raced in race.schemes])
    axes.set_ylim(len(race.schemes) - 0.4, -0.6)
    axes.set_xlabel(f"Right, of {race.first.images:,} images (%)")
