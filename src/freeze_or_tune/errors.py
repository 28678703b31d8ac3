"""The one exception whose message is meant for the person at the keyboard."""


class UserError(Exception):
    """A mistake that its reader can mend: the message says what is wrong, where, and what to do."""
