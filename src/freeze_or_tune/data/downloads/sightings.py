"""Who has last said that an address answers, or does not: what the table of downloads knows of them without asking."""

import re
from datetime import date
from typing import Literal, NamedTuple

State = Literal["alive", "dead", "login"]
"""login: only a person who has registered gets it."""
_PATTERN = re.compile(r"(alive|dead|login) (\d{4}-\d{2}-\d{2}) ([\w.-]+/[\w.-]+)#(\d+)")


class Sighting(NamedTuple):
    """What somebody has said of an address in a public tracker, and when."""

    state: State
    day: date
    tracker: str
    """Its repository on GitHub, <owner>/<name>."""
    number: int
    """Of the issue or the pull request."""

    @classmethod
    def parse(cls, text: str) -> "Sighting":
        """From `dead 2026-06-25 pytorch/vision#9348`; ValueError if it is not like that."""
        found = _PATTERN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text.strip()!r} is not like 'alive 2026-02-27 owner/repository#24'")
        state, day, tracker, number = found.groups()
        return cls(state, date.fromisoformat(day), tracker, int(number))  # type: ignore[arg-type]

    @property
    def page(self) -> str:
        """Where it was said."""
        return f"https://github.com/{self.tracker}/issues/{self.number}"

    def __str__(self) -> str:
        """In words."""
        said = {"alive": "answered", "dead": "was gone", "login": "wanted a login"}[self.state]
        return f"{said} on {self.day} ({self.tracker}#{self.number})"
