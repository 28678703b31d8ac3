"""Folders, and single files such as a list that is a download of its own."""

import logging
import os
from pathlib import Path

from freeze_or_tune.data.archives.base import Archive, UnreadableFile, check_size
from freeze_or_tune.system.errors import UserError

logger = logging.getLogger(__name__)


class FolderArchive(Archive):
    """A folder; links are followed only to files inside it, so that no image comes from elsewhere, unless asked for."""

    def __init__(self, path: Path, *, follow_links: bool = False) -> None:
        """Take the folder; `follow_links`: also to what lies elsewhere."""
        super().__init__(path)
        self._follows = follow_links

    def names(self) -> list[str]:
        """Sorted paths of all files; a warning counts the links that are left out."""
        names, left_out = [], []
        for folder, folders, files in os.walk(self.path, onerror=_unreadable):
            here = Path(folder)
            left_out += [here / name for name in folders if (here / name).is_symlink()]
            for path in (here / name for name in files):
                if self._holds(path):
                    names.append(path.relative_to(self.path).as_posix())
                else:
                    left_out.append(path)
        self.left_out = tuple(sorted(path.relative_to(self.path).as_posix() for path in left_out))
        if left_out:
            logger.warning("%s: left out %d links to folders or to files elsewhere", self.path, len(left_out))
        return sorted(names)

    def read(self, name: str) -> bytes:
        """Bytes of a file."""
        path = self.path / name
        if not self._holds(path):
            raise KeyError(name)
        try:
            return read_file(path)
        except UserError as error:
            raise UnreadableFile(str(error)) from None

    def _holds(self, path: Path) -> bool:
        return path.is_file() and path.resolve().is_relative_to(self.path.resolve())


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


def read_file(path: Path) -> bytes:
    """Bytes of one file; UserError if it cannot be read or is too large."""
    try:
        check_size(path.parent, path.name, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def _unreadable(error: OSError) -> None:
    raise UserError(f"cannot read {error.filename}: {error.strerror}")
