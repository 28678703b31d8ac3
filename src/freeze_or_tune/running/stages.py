"""What a run does, for people: its rules as stages, how far each is, and how long the rest may take."""

from collections.abc import Mapping
from dataclasses import dataclass, field

STAGES = {
    "fetching files": ("download", "hub"),
    "rendering images": ("glyphs", "digits"),
    "listing the images": ("index",),
    "reading the images": ("store", "own_store", "samples"),
    "drawing splits": ("split",),
    "taking in the network": ("import_network", "estimate_mean"),
    "pretraining": ("pretrain",),
    "looking the images over": ("check",),
    "computing features": ("features",),
    "measuring distances": ("mean_distance", "svm_distance", "cnn_distance", "own_distance"),
    "probing the blocks": ("probe", "own_probe"),
    "racing tuned and frozen": ("race",),
    "experiments": ("experiment",),
    "training the model": ("model",),
    "writing the advice": ("advice",),
    "examining this node": ("doctor",),
}
"""Rules by what they do in words; all others make tables, figures and pages."""
OTHERS = "making tables and figures"
_STAGE_OF = {rule: stage for stage, rules in STAGES.items() for rule in rules}


def stage_of(rule: str) -> str:
    """The stage of a rule."""
    return _STAGE_OF.get(rule, OTHERS)


@dataclass
class Stage:
    """Jobs of one kind: how many there are, which run, and how long those took that are done."""

    name: str
    jobs: int
    spent: float = 0.0
    since: float | None = None
    running: dict[int, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def begin(self, job: int, now: float) -> None:
        """A job has been started."""
        self.since = now if self.since is None else self.since
        self.running[job] = now

    def end(self, job: int, now: float) -> float | None:
        """A job runs no longer: how long it did; None if it did not run."""
        begun = self.running.pop(job, None)
        if not self.running:
            self.spent, self.since = self.at_work(now), None
        return None if begun is None else now - begun

    def at_work(self, now: float) -> float:
        """Seconds in which some job of it ran."""
        return self.spent + (0.0 if self.since is None else now - self.since)

    @property
    def done(self) -> bool:
        """Whether all of it has been made."""
        return len(self.seconds) >= self.jobs

    def left(self, now: float, expected: float | None) -> float | None:
        """Seconds of work that are left, one job after the other; None: no job has told yet how long it takes."""
        mean = sum(self.seconds) / len(self.seconds) if self.seconds else expected
        if mean is None:
            return None
        waiting = self.jobs - len(self.seconds) - len(self.running)
        return waiting * mean + sum(max(0.0, mean - (now - begun)) for begun in self.running.values())


class Stages:
    """The stages of a run, in the order in which they begin; told of jobs by their numbers.

    `expected` are seconds of a job of a stage, where they are known beforehand.
    """

    def __init__(self, jobs_of_rules: Mapping[str, int], expected: Mapping[str, float] | None = None) -> None:
        """Take how many jobs each rule has in all."""
        counts: dict[str, int] = {}
        for rule, jobs in jobs_of_rules.items():
            counts[stage_of(rule)] = counts.get(stage_of(rule), 0) + jobs
        self.all = {name: Stage(name, jobs) for name, jobs in counts.items()}
        self.expected = expected or {}
        self._of: dict[int, Stage] = {}

    def begin(self, job: int, rule: str, now: float) -> Stage:
        """A job has been started."""
        stage = self._of[job] = self.all.setdefault(stage_of(rule), Stage(stage_of(rule), 1))
        stage.begin(job, now)
        return stage

    def end(self, job: int, now: float) -> Stage | None:
        """A job is done; its stage, if that was the last of it."""
        stage = self._of[job]
        seconds = stage.end(job, now)
        if seconds is not None:
            stage.seconds.append(seconds)
        return stage if stage.done else None

    def failed(self, job: int, now: float) -> None:
        """A job has failed: it runs no longer, and may be tried again."""
        if job in self._of:
            self._of[job].end(job, now)

    @property
    def current(self) -> Stage | None:
        """What runs: of several stages the one with most jobs to come, which the others serve."""
        return max((stage for stage in self.all.values() if stage.running), key=_to_come, default=None)

    def left(self, now: float) -> float | None:
        """Seconds until the end at today's pace; None while it is not known what the current stage takes.

        Stages that have not begun, and of which nothing is known beforehand, are taken for those of a few seconds.
        """
        seconds = {name: stage.left(now, self.expected.get(name)) for name, stage in self.all.items() if not stage.done}
        if self.current is None or seconds.get(self.current.name) is None:
            return None
        at_once = sum(len(stage.running) for stage in self.all.values())
        return sum(part for part in seconds.values() if part is not None) / at_once


def _to_come(stage: Stage) -> int:
    return stage.jobs - len(stage.seconds)
