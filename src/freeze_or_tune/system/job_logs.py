"""What the logs of jobs (`job.py` writes them) say at their end: how far a job is, or why it has failed."""

import re
from pathlib import Path

_TAIL = 8192
"""Bytes of a log that are read: its end says how it went."""
_BEGINS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (\w+) (.*)")
"""A line with time and level; what follows without belongs to it."""
FAILED = "the job failed"
"""The message before a traceback."""


def last_lines(log: Path) -> list[str]:
    """The end of a log, nothing if there is none that can be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []


def reason(lines: list[str]) -> str:
    """Why a job has failed: its whole message, or the last line of its traceback; empty if it has not."""
    errors = [place for place, line in enumerate(lines) if (begun := _BEGINS.match(line)) and begun[1] == "ERROR"]
    if not errors:
        return ""
    message, more = lines[errors[-1]].split(" ERROR ", 1)[1], []
    for line in lines[errors[-1] + 1 :]:
        if _BEGINS.match(line):
            break
        more.append(line)
    return more[-1] if message == FAILED and more else "\n".join([message, *more])


def failure(log: Path) -> str:
    """Why the job of a log has failed, in its own words; empty if it says nothing of that."""
    return reason(last_lines(log))


def ended_well(lines: list[str]) -> bool:
    """Whether a log is that of a job that has done its work."""
    return " INFO peak memory " in (lines or [""])[-1]


def message(lines: list[str]) -> str:
    """The last line without its time and level."""
    return lines[-1].split(" INFO ", 1)[-1] if lines else ""


def last_message(log: Path) -> str:
    """What the job of a log last said; empty if it is at its end, or in something longer."""
    lines = last_lines(log)[-1:]
    return message(lines) if lines and " INFO " in lines[0] and not ended_well(lines) else ""
