"""How figures look: one palette, one size of type, ratio axes with plain numbers, and files that are the same twice."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from matplotlib.transforms import Transform, offset_copy

from freeze_or_tune.study.levels import Level
from freeze_or_tune.system.files import replacing

WIDTH = 7.0
"""Inches: the figures are printed at this width, so sizes of type below are what a reader sees."""

DODGE = 1.3
"""Points of print between series that share their places on the x axis."""

RC: Any = {
    "pdf.fonttype": 42,  # TrueType: text stays text, and journals accept it
    "font.family": "DejaVu Sans",  # ships with matplotlib, so figures are the same on every machine
    "font.size": 8,
    "text.parse_math": False,  # names are no formulas, whatever signs they hold
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.3,
    "lines.markersize": 5.5,
}
# No dates in the files: the same results give the same bytes.
_UNDATED: dict[str, dict[str, str | None]] = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
_SUBJECT = {".pdf": "Subject", ".png": "Description", ".svg": "Description"}


class Look(NamedTuple):
    """Colour (Okabe and Ito's palette: safe for the colour-blind) and marker of a series."""

    color: str
    marker: str


# Lightness and marker differ too, so that both survive a grey printer.
DATA_LOOKS: dict[Level, Look] = {
    "L": Look("#56B4E9", "o"),
    "M": Look("#0072B2", "s"),
    "H": Look("#000000", "^"),
}
DISTANCE_LOOKS: dict[Level, Look] = {
    "L": Look("#009E73", "D"),
    "M": Look("#E69F00", "v"),
    "H": Look("#D55E00", "o"),
}
DEPTH_LOOKS = (
    Look("#0072B2", "o"), Look("#D55E00", "s"), Look("#009E73", "^"), Look("#CC79A7", "D"), Look("#E69F00", "v"),
)  # fmt: skip
SCRATCH_LOOK = Look("#000000", "X")
LINES: dict[Level, Any] = {"L": "-", "M": "--", "H": "-."}
GREY = "#808080"


def _steps(step: float, low: float, high: float) -> list[float]:
    return [round(k * step, 2) for k in range(round(low / step), round(high / step) + 1)]


# Ticks of a ratio axis, finest first, and how to print them.
_GRIDS: tuple[tuple[list[float], str], ...] = (
    (_steps(0.01, 0.9, 1.1), "{:.2f}"),
    (_steps(0.02, 0.8, 1.2), "{:.2f}"),
    (_steps(0.05, 0.6, 1.5), "{:.2f}"),
    (_steps(0.1, 0.3, 2), "{:.1f}"),
    ([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.4, 1.6, 2, 2.5, 3, 4, 5, 6, 8, 10], "{:.1f}"),
    ([0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30], "{:g}"),
    ([m * 10.0**e for e in range(-3, 4) for m in (1, 2, 5)], "{:g}"),
    ([10.0**e for e in range(-6, 7)], "{:g}"),
)
_LEAST_GAP = 0.065
"""Ticks nearer than this fraction of the axis would have their labels touch."""


def ratio_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Ticks in [low, high] (0 < low < 1 < high) for a log axis of ratios, 1 among them, with their labels."""
    span = math.log(high / low)
    for grid, form in _GRIDS:
        ticks = [tick for tick in grid if low <= tick <= high]
        covers = grid[0] <= low * 1.05 and grid[-1] >= high / 1.05
        if covers and all(np.diff(np.log(ticks)) >= _LEAST_GAP * span):
            return ticks, [form.format(tick) for tick in ticks]
    return [1.0], ["1"]


def ratio_axis(axes: Axes, pairs: pd.DataFrame) -> None:
    """A log y axis that holds positive ratios and 1, with plain labels and a clear line at 1.

    Intervals are shown whole unless they are so wide that the ratios would be hard to tell apart.
    """
    ratios = pairs["ratio"]
    low, high = min([*ratios, 1 / 1.02]), max([*ratios, 1.02])
    room = max((high / low) ** 0.5, 1.1)
    low = min([low, *pairs["low"].clip(lower=low / room).dropna()])
    high = max([high, *pairs["high"].clip(upper=high * room).dropna()])
    margin = (high / low) ** 0.07
    axes.set_yscale("log")
    axes.set_ylim(low / margin, high * margin)
    ticks, labels = ratio_ticks(low / margin, high * margin)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FixedFormatter(labels))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y", color="0.92", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.axhline(1, color="0.25", linewidth=1, zorder=1)


def log_ticks(axes: Axes, ticks: Sequence[float], low: float, high: float, inches: float) -> None:
    """A log x axis over [low, high], `inches` wide; a label too near the one before it drops to a second line."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    scale = inches / math.log(high / low)
    labels: list[str] = []
    end = -math.inf
    for tick in ticks:
        text = f"{tick:g}"
        centre, half = math.log(tick / low) * scale, 0.034 * len(text)  # a digit is 0.067 inches wide
        below = centre - half < end + 0.03 and not labels[-1].startswith("\n")
        labels.append("\n" + text if below else text)
        end = centre + half
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_major_formatter(FixedFormatter(labels))
    axes.xaxis.set_minor_locator(NullLocator())


def aside(axes: Axes, place: int, places: int) -> Transform:
    """The axes' data coordinates shifted by a few points of print, so that no series hides another at the same x."""
    points = DODGE * (place - (places - 1) / 2)
    return offset_copy(axes.transData, fig=axes.get_figure(root=True), x=points, units="points")


def say(axes: Axes, text: str) -> None:
    """Print `text` in the middle of axes that have nothing to show."""
    axes.text(0.5, 0.4, text, transform=axes.transAxes, ha="center", va="center", color=GREY)


def write_figure(
    draw: Callable[[], Figure], outputs: Sequence[Path], title: str = "", subject: str = "", dpi: int = 300
) -> None:
    """Draw once, in this style, and write each output in the format of its suffix: same input, same bytes.

    `title` and `subject` become metadata of the file.
    """
    with mpl.rc_context(RC):
        figure = draw()
        for output in outputs:
            suffix = Path(output).suffix
            words = {"Title": title, _SUBJECT[suffix]: subject} if suffix in _SUBJECT else {}
            with replacing(output) as temporary:
                figure.savefig(temporary, dpi=dpi, metadata=_UNDATED.get(suffix, {}) | words)
