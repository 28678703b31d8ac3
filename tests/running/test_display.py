import io

import pytest

from freeze_or_tune.running.display import Display, clock_time
from freeze_or_tune.running.stages import Stages


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def racing(note: str, display: Display, clock: Clock, seconds: float) -> Stages:
    stages = Stages({"race": 1}, {"racing tuned and frozen": 180})
    stages.begin(1, "race", 0.0)
    clock.now = seconds
    display.update(stages, note)
    return stages


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3599, "59:59"), (3661, "1:01:01")]
)
def test_times_as_a_clock_shows_them(seconds: float, text: str) -> None:
    assert clock_time(seconds) == text


def test_a_terminal_sees_one_line_that_is_written_anew(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    terminal = Terminal()
    display = Display(terminal, clock)
    stages = racing("round 1 of 3: T1-9_R10 and so on and so on", display, clock, 30)
    shown = terminal.getvalue()
    assert shown == "\r\x1b[Kracing tuned and frozen       0:30  some 2:30 left  round 1 of 3: T1-"
    assert len(shown.removeprefix("\r\x1b[K")) == 69  # a full line would wrap
    stages.end(1, 200)
    clock.now = 200
    display.finished(stages.all["racing tuned and frozen"])
    assert terminal.getvalue().endswith("\r\x1b[Kracing tuned and frozen       3:20\n")


def test_elsewhere_finished_stages_are_lines_and_long_ones_speak_now_and_then(clock: Clock) -> None:
    file = io.StringIO()
    display = Display(file, clock)
    display.planning()
    stages = racing("", display, clock, 59)
    assert file.getvalue() == ""
    clock.now = 61
    display.update(stages, "round 2 of 3")
    clock.now = 100
    display.update(stages, "round 2 of 3")
    assert file.getvalue() == "racing tuned and frozen       1:01  some 1:59 left  round 2 of 3 ...\n"
    display.clear()
    assert "\x1b" not in file.getvalue()


def test_several_jobs_are_counted(clock: Clock) -> None:
    file = io.StringIO()
    stages = Stages({"experiment": 84})
    stages.begin(1, "experiment", 0.0)
    stages.end(1, 10.0)
    stages.begin(2, "experiment", 10.0)
    clock.now = 70
    display = Display(file, Clock())
    display.clock = clock
    display.update(stages)
    assert file.getvalue() == "experiments                   1:10  1 of 84  some 13:40 left ...\n"
