"""The exceptions whose messages are meant for the person at the keyboard.

A file of theirs is never to be deleted: its message says what is wrong, where, and how it should be. Only what the
workflow makes again may go, and only a SpoiltFile says so.
"""

from collections.abc import Iterator
from contextlib import contextmanager

STOPPED = "stopped by"
"""How the message of a run begins that a signal has ended: it has not failed, and goes on when it is started again."""


class UserError(Exception):
    """A mistake that its reader can mend: the message says what is wrong, where, and what to do."""


class DamagedFile(UserError):
    """A file is not what it should be, and may be anybody's: whose it is the caller of its reader knows."""


class SpoiltFile(UserError):
    """A file that the workflow made is damaged or out of date: once it is gone, it is made again."""

    def __init__(self, problem: str, which: str = "it") -> None:
        """Say what is wrong, where, and which file may be deleted."""
        super().__init__(f"{problem}; delete {which} and run snakemake again")


@contextmanager
def made_by_the_workflow() -> Iterator[None]:
    """Around the reading of what only rules write, or a function that reads nothing else: a damaged file is spoilt."""
    try:
        yield
    except DamagedFile as error:
        raise SpoiltFile(str(error)) from None
