"""Progress of a run: a bar when a terminal watches, sparse lines in the log."""

import logging
import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

from freeze_or_tune.records.experiment import CurvePoint

log = logging.getLogger(__name__)


class Progress:
    """Counts iterations of `batch` images."""

    def __init__(self, iterations: int, batch: int, done: int = 0, label: str = "") -> None:
        """Start the clock and, on a terminal, the bar; `done` iterations were made by an earlier process."""
        self.iterations, self.batch, self.before, self.start = iterations, batch, done, time.perf_counter()
        self.bar = tqdm(
            total=iterations * batch, initial=done * batch, unit="images", unit_scale=True, leave=False,
            desc=label, disable=not sys.stderr.isatty(),
        )  # fmt: skip

    def step(self) -> None:
        """One iteration is done."""
        self.bar.update(self.batch)

    def measured(self, done: int, point: CurvePoint) -> None:
        """Validation was looked at after `done` iterations."""
        rate = (done - self.before) * self.batch / (time.perf_counter() - self.start)
        self.bar.set_postfix(val=f"{point.val_accuracy:.1%}", loss=f"{point.loss:.3f}")
        log.info(
            "iteration %d/%d: loss %.4f, validation accuracy %.1f %%, %.0f images/s",
            done, self.iterations, point.loss, 100 * point.val_accuracy, rate,
        )  # fmt: skip

    def __enter__(self) -> Self:
        """The progress itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the bar."""
        self.bar.close()
