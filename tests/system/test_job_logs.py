from pathlib import Path

import pytest

from freeze_or_tune.system.job_logs import ended_well, failure, last_lines, last_message

TIME = "2026-11-27 13:54:36,226"
WELL = f"{TIME} INFO trained\n{TIME} INFO peak memory 300 MB\n"
BY_HAND = f"{TIME} WARNING odd\n{TIME} ERROR a.zip has to be fetched\nTo place it by hand:\n  visit   https://a.b\n"
TRACEBACK = f"{TIME} ERROR the job failed\nTraceback (most recent call last):\n  ...\nIndexError: too far\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ""),
        (WELL, ""),
        (f"{TIME} INFO a step\n", ""),
        (f"{TIME} ERROR my photos hold no images\n", "my photos hold no images"),
        (BY_HAND, "a.zip has to be fetched\nTo place it by hand:\n  visit   https://a.b"),
        (TRACEBACK, "IndexError: too far"),
        (f"{TRACEBACK}{TIME} ERROR no memory left\n", "no memory left"),
        (f"{TIME} ERROR once\n{TIME} INFO a step\n", "once"),
        (f"{TIME} INFO says ERROR in passing\n", ""),
    ],
)
def test_why_a_job_has_failed(tmp_path: Path, text: str, reason: str) -> None:
    log = tmp_path / "a.log"
    log.write_text(text)
    assert failure(log) == reason
    assert ended_well(last_lines(log)) == (text == WELL)


def test_a_log_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    assert failure(tmp_path / "none.log") == failure(tmp_path) == ""
    assert not ended_well(last_lines(tmp_path / "none.log"))


@pytest.mark.parametrize(("text", "said"), [("", ""), (WELL, ""), (f"{TIME} INFO a step\n", "a step"), (TRACEBACK, "")])
def test_what_a_job_last_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.log").write_text(text)
    assert last_message(tmp_path / "a.log") == said
