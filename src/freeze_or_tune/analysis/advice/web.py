"""The advice as a page for a browser: one file, with pictures, in the style of the study's report."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from freeze_or_tune.analysis.advice.words import doing, duration, mirroring, reason, verdict
from freeze_or_tune.analysis.page.templates import render_template
from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.records.probes import Mistake, Profile
from freeze_or_tune.records.race import Race
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.system.commands import front_command


class Shown(NamedTuple):
    """Pictures of one class, as data: addresses."""

    name: str
    images: int
    pictures: tuple[str, ...]


class Point(NamedTuple):
    """A probe in the profile's picture; percent of its width and height."""

    x: float
    y: float
    words: str


class Line(NamedTuple):
    """A source's profile."""

    source: str
    points: tuple[Point, ...]


class Lane(NamedTuple):
    """A scheme in the race's picture; percent."""

    scheme: str
    mode: str
    won: bool
    accuracy: float
    low: float
    high: float
    words: str


def render(
    advice: Advice, shown: Sequence[Shown], mistakes: Sequence[tuple[Mistake, str]], command: str, model: Path
) -> str:
    """The page; `command` makes the model, mistakes come with their pictures."""
    return render_template(
        "advice.html", advice=advice, verdict=verdict(advice), reason=reason(advice), mirroring=mirroring(advice),
        kind={"Tune": "tune", "Freeze": "freeze"}.get(advice.advice, ""), race=advice.measured,
        lines=[_line(profile) for profile in advice.profiles], lanes=_lanes(advice.measured), duration=duration,
        chance=100 / advice.profiles[0].classes, paper=paper, shown=shown, mistakes=mistakes,
        evidence=", ".join(advice.evidence) or "those that ship with the package",
        make=command, predict=front_command("predict", model, "photo.jpg"),
    )  # fmt: skip


def _line(profile: Profile) -> Line:
    steps = max(1, len(profile.blocks) - 1)
    return Line(profile.source, tuple(
        Point(
            100 * place / steps, 100 * probe.logistic,
            f"{profile.source}, block {probe.block}: {100 * probe.logistic:.1f} % "
            f"({100 * probe.low:.1f} to {100 * probe.high:.1f}); neighbours {100 * probe.neighbours:.1f} %",
        )
        for place, probe in enumerate(profile.blocks)
    ))  # fmt: skip


def _lanes(race: Race | None) -> list[Lane]:
    return [
        Lane(
            Scheme.parse(one.scheme).paper, doing(Scheme.parse(one.scheme)),
            one.scheme == race.winner, 100 * one.accuracy, 100 * one.low, 100 * one.high,
            f"{100 * one.accuracy:.1f} % ({100 * one.low:.1f} to {100 * one.high:.1f}) of {one.images:,} images, "
            f"{duration(one.seconds)} a round",
        )
        for one in race.schemes
    ] if race else []  # fmt: skip
