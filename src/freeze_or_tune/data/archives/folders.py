"""Folders, and single files such as a list that is a download of its own."""

import logging
import os
from pathlib import Path

from freeze_or_tune.data.archives.base import Archive, check_size
from freeze_or_tune.errors import UserError

logger = logging.getLogger(__name__)


class FolderArchive(Archive):
    """A folder; links are followed only to files inside it, so that no image comes from elsewhere."""

    def names(self) -> list[str]:
        """Sorted paths of all files; a warning counts the links that are left out."""
        names, left_out = [], 0
        for folder, folders, files in os.walk(self.path, onerror=_unreadable):
            here = Path(folder)
            left_out += sum((here / name).is_symlink() for name in folders)
            for path in (here / name for name in files):
                if self._holds(path):
                    names.append(path.relative_to(self.path).as_posix())
                else:
                    left_out += 1
        if left_out:
            logger.warning("%s: left out %d links to folders or to files elsewhere", self.path, left_out)
        return sorted(names)

    def read(self, name: str) -> bytes:
        """Bytes of a file."""
        path = self.path / name
        if not self._holds(path):
            raise KeyError(name)
        return _read(path)

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
        return _read(self.path)


def _read(path: Path) -> bytes:
    try:
        check_size(path.parent, path.name, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def _unreadable(error: OSError) -> None:
    raise UserError(f"cannot read {error.filename}: {error.strerror}")
