"""The one exception whose message is meant for the person at the keyboard."""

STOPPED = "stopped by"
"""How the message of a run begins that a signal has ended: it has not failed, and goes on when it is started again."""


class UserError(Exception):
    """A mistake that its reader can mend: the message says what is wrong, where, and what to do."""
