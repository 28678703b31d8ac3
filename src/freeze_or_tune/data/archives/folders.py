"""Folders, and single files such as a list that is a download of its own."""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from freeze_or_tune.data.archives.base import Archive, UnreadableFile, check_count, check_size, safe_name
from freeze_or_tune.system.errors import UserError

logger = logging.getLogger(__name__)


class FolderArchive(Archive):
    """A folder; links are followed only to files inside it, so that no image comes from elsewhere, unless asked for."""

    def __init__(self, path: Path, *, follow_links: bool = False) -> None:
        """Take the folder; `follow_links`: also to what lies elsewhere."""
        super().__init__(path)
        self.follows: bool = follow_links
        self._top = path.resolve()
        self._names: list[str] | None = None

    def names(self) -> list[str]:
        """Sorted paths of all files, as when first asked for; a warning counts the links that are left out."""
        if self._names is None:
            self._names, left_out = walked(self.path, _unreadable, follow_links=self.follows)
            self.left_out = tuple(left_out)
            if left_out:
                logger.warning("%s: left out %d links to folders or to files elsewhere", self.path, len(left_out))
        return list(self._names)

    def read(self, name: str) -> bytes:
        """Bytes of a file."""
        try:
            return read_file(self._held(name))
        except UserError as error:
            raise UnreadableFile(str(error)) from None

    def open(self, name: str) -> IO[bytes]:
        """A file from its start."""
        path = self._held(name)
        try:
            check_size(path.parent, path.name, path.stat().st_size)
            return path.open("rb")
        except OSError as error:
            raise UnreadableFile(f"cannot read {path}: {error.strerror}") from None

    def _held(self, name: str) -> Path:
        if not self._holds(name):
            raise KeyError(name)
        return self.path / name

    def _holds(self, name: str) -> bool:
        inside = safe_name(name) is not None
        return inside and _is_held(self.path / name, self._top, follow_links=self.follows)


class FileArchive(Archive):
    """One file under its own name."""

    def names(self) -> list[str]:
        """Return the name of the file."""
        return [self.path.name]

    def read(self, name: str) -> bytes:
        """Bytes of the file."""
        if name != self.path.name:
            raise KeyError(name)
        return read_file(self.path)


def walked(folder: Path, unreadable: Callable[[OSError], object], *, follow_links: bool) -> tuple[list[str], list[str]]:
    """Sorted paths in a folder: of all files, and of what is left out (links, unless they are followed, and devices).

    A file that links lead to by several paths has as many names; a link to a folder that it lies in is left out, for
    it would lead round in a circle. UserError if there are too many.
    """
    names, left_out, top = list[str](), list[str](), folder.resolve()
    waiting: list[tuple[str, tuple[tuple[int, int], ...]]] = [("", (_identity(folder),))] if folder.is_dir() else []
    folders = 0
    while waiting:
        inside, above = waiting.pop()
        folders += 1
        check_count(folder, folders + len(names))
        for entry in _entries(folder / inside, unreadable):
            path, name, link = Path(entry.path), inside + entry.name, entry.is_symlink()
            if entry.is_file(follow_symlinks=False) or (link and _is_held(path, top, follow_links=follow_links)):
                names.append(name)
            elif (link and not follow_links) or not _is_folder(path) or _identity(path) in above:
                left_out.append(name)
            else:
                waiting.append((f"{name}/", (*above, _identity(path))))
    return sorted(names), sorted(left_out)


def read_file(path: Path) -> bytes:
    """Bytes of one file; UserError if it cannot be read or is too large."""
    try:
        check_size(path.parent, path.name, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def _entries(folder: Path, unreadable: Callable[[OSError], object]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        unreadable(error)
        return []


def _identity(folder: Path) -> tuple[int, int]:
    """The same by whatever path one comes to it."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_held(path: Path, top: Path, *, follow_links: bool) -> bool:
    """Whether it is a file, and one below `top` if links are not to be followed."""
    with suppress(OSError):  # what lies behind a closed door is not there
        return path.is_file() and (follow_links or path.resolve().is_relative_to(top))
    return False


def _is_folder(path: Path) -> bool:
    with suppress(OSError):
        return path.is_dir()
    return False


def _unreadable(error: OSError) -> None:
    raise UserError(f"cannot read {error.filename}: {error.strerror}")
