import logging
import os
import pty
import subprocess
import sys
import termios

import pytest

from freeze_or_tune.records.experiment import CurvePoint
from freeze_or_tune.training import progress as module
from freeze_or_tune.training.progress import Progress

POINT = CurvePoint(iteration=4, loss=1.23456, val_accuracy=0.625)
SCRIPT = """
from freeze_or_tune.records.experiment import CurvePoint
from freeze_or_tune.training.progress import Progress
with Progress(iterations=40, batch=5) as progress:
    progress.bar.mininterval = 0
    for done in range(1, 41):
        progress.measured(done, CurvePoint(iteration=done, loss=0.5, val_accuracy=0.75))
        progress.step()
"""


def test_the_log_tells_accuracy_and_speed(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 102.0])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(times))
    with caplog.at_level(logging.INFO), Progress(10, 5) as progress:
        for _ in range(4):
            progress.step()
        progress.measured(4, POINT)
    # Four iterations of five images in two seconds.
    assert caplog.messages == ["iteration 4/10: loss 1.2346, validation accuracy 62.5 %, 10 images/s"]


def test_no_bar_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with Progress(10, 5) as progress:
        progress.step()
        progress.measured(4, POINT)
    assert "images" not in capfd.readouterr().err


@pytest.mark.slow
def test_a_bar_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    assert process.returncode == 0, shown
    assert b"200/200" in shown
    assert b"images/s" in shown
    assert b"val=75.0%" in shown
