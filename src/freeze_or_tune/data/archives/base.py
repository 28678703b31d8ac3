"""What all archives share: names that stay inside, and sizes that are bounded."""

import io
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self

from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError

logger = logging.getLogger(__name__)

MOST_FILES = 5_000_000
"""Files of one archive; ImageNet has 1.3 million."""

MOST_BYTES = 1 << 28
"""Bytes of one file that is read; a larger one is no photograph and no list."""


_SYSTEMS = {
    "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information",
    "lost+found",
}  # fmt: skip
"""Files and folders that systems leave beside a person's own; @eaDir holds a Synology's small copies of all images."""


class UnreadableFile(UserError):
    """One file of a folder cannot be read, which says nothing of the others; that of an archive is damage."""


class Archive(ABC):
    """Named files, open for reading; use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Remember where the files are, for messages."""
        self.path = path
        self.left_out: tuple[str, ...] = ()
        """Links and the like that `names` came across and leaves out."""
        self.follows: bool | None = None
        """Whether links are read wherever they lead; None where they never are."""
        self.findings: list[Finding] = []
        """What a reader has noticed in it that the images' owner should know."""
        self.told: set[str] = set()
        """Files that are no images of the dataset, of which no more need be said: a finding has, or they are used."""

    @abstractmethod
    def names(self) -> list[str]:
        """Sorted paths of all files, relative, with forward slashes."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Bytes of a file, from any thread; KeyError if it is not there, UserError if it is damaged or too large."""

    def in_order(self, names: Sequence[str]) -> list[str]:
        """The same names in an order in which they are read fast."""
        return list(names)

    def open(self, name: str) -> IO[bytes]:
        """A file that is read as far as one asks, from any place; errors as `read` has them."""
        return io.BytesIO(self.read(name))

    def close(self) -> None:  # noqa: B027 (a folder keeps nothing open)
        """Let go of open files."""

    def __enter__(self) -> Self:
        """Return the archive itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def safe_name(name: str) -> str | None:
    """A member's name as a relative path without `.`; None if it leads out of the archive."""
    path = PurePosixPath(name)
    return None if path.is_absolute() or ".." in path.parts or not path.parts else str(path)


def is_hidden(name: str) -> bool:
    """Whether a file is what systems and programs keep beside a person's own, or lies in such a folder."""
    parts = [part for part in PurePosixPath(name).parts if part != ".."]
    return any(part.startswith(".") or part.lower() in _SYSTEMS for part in parts)


def check_size(path: Path, name: str, size: int) -> None:
    """Raise UserError if a file of an archive is too large to be read into memory."""
    if size > MOST_BYTES:
        raise UserError(f"{name!r} in {path} has {size} bytes, more than the {MOST_BYTES} of any image or list")


def check_count(path: Path, count: int) -> None:
    """Raise UserError if an archive lists too many files."""
    if count > MOST_FILES:
        raise UserError(f"{path} lists more than {MOST_FILES} files; it is no dataset that can be read here")


def warn_left_out(path: Path, names: list[str]) -> None:
    """Say in one warning which members of an archive were left out because they are not plain files inside it."""
    if names:
        logger.warning(
            "%s: left out %d members that are links, devices or lead out of the archive, such as %r",
            path, len(names), names[0],
        )  # fmt: skip
