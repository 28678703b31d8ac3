"""Names of files and classes, which may hold any bytes, as text that can be written down."""


def valid(name: str) -> str:
    """The name as valid Unicode, bytes that are none as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()
