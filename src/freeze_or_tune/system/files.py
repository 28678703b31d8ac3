"""Files that are either whole or absent."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes that name, on failure it is removed.

    The temporary name keeps the suffix (writers choose their format by it) and is unique, so two
    processes that write the same file cannot mix their bytes: the last whole one wins.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` (UTF-8) to `path` atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def checkpoint_folder(result: Path) -> Path:
    """Where the checkpoints of a result lie while it is worked on."""
    return result.with_name(f".{result.stem}.checkpoints")


def lock_file(result: Path) -> Path:
    """The lock that the process holds which works on a result."""
    return result.with_name(f".{result.stem}.lock")
