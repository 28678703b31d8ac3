"""One line a stage on standard error: the current one is written anew on a terminal, finished ones stay."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from freeze_or_tune.running.stages import Stage, Stages

_NAME = 26
_PATIENCE = 60.0
"""Seconds without a word before a reader of a file, or of a job's output, is told where the run is."""


class Display:
    """Says how far a run is; `note` gives what a running stage last said of itself."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Write to standard error unless told otherwise."""
        self.stream = sys.stderr if stream is None else stream
        self.clock = clock
        self.terminal = self.stream.isatty()
        self._said = clock()

    def planning(self) -> None:
        """Snakemake looks at what there is."""
        if self.terminal:
            self._rewrite("planning ...")

    def update(self, stages: Stages, note: str = "") -> None:
        """Tell of the current stage: at once on a terminal, elsewhere now and then."""
        now, stage = self.clock(), stages.current
        if stage is None or not (self.terminal or now - self._said > _PATIENCE):
            return
        parts = [_counted(stage, len(stage.seconds), now), _left(stages.left(now)), note]
        text = "  ".join(part for part in parts if part)
        self._rewrite(text) if self.terminal else self._line(f"{text} ...")

    def finished(self, stage: Stage) -> None:
        """A stage is done: its line stays."""
        self._line(_counted(stage, stage.jobs, self.clock()))

    def clear(self) -> None:
        """Take the current line away: something else is to be read."""
        if self.terminal:
            self._write("\r\x1b[K")

    def _rewrite(self, text: str) -> None:
        self._write(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}")

    def _line(self, text: str) -> None:
        self.clear()
        self._write(f"{text}\n")
        self._said = self.clock()

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def _counted(stage: Stage, done: int, now: float) -> str:
    count = f"{done} of {stage.jobs}" if stage.jobs > 1 else ""
    return f"{stage.name:<{_NAME}} {clock_time(stage.at_work(now)):>7}  {count}".rstrip()


def _left(seconds: float | None) -> str:
    return f"some {clock_time(seconds)} left" if seconds else ""


def clock_time(seconds: float) -> str:
    """As a clock shows it: 0:07, 12:30, 1:05:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
