"""Zips and folders read alike: images come straight from them, nothing is unpacked."""

import logging
import os
import threading
import zipfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from freeze_or_tune.errors import UserError

logger = logging.getLogger(__name__)


class Archive(ABC):
    """Named files, open for reading; use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Remember where the files are, for messages."""
        self.path = path

    @abstractmethod
    def names(self) -> list[str]:
        """Sorted paths of all files, relative, with forward slashes."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Bytes of a file, from any thread; KeyError if it is not there, UserError if it is damaged."""

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


class ZipArchive(Archive):
    """A zip, whatever its suffix (a wheel is one)."""

    def __init__(self, path: Path) -> None:
        """Open it; UserError if it is damaged."""
        super().__init__(path)
        self._lock = threading.Lock()
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(f"{path} is not a readable zip ({error}); delete it and fetch or make it again") from None

    def names(self) -> list[str]:
        """Sorted paths of all files."""
        return sorted({entry.filename for entry in self._zip.infolist() if not entry.is_dir()})

    def read(self, name: str) -> bytes:
        """Bytes of a file; their checksum is verified."""
        try:
            with self._lock:
                return self._zip.read(name)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise UserError(
                f"{name!r} in {self.path} cannot be read ({error}); delete the zip and fetch or make it again"
            ) from None

    def close(self) -> None:
        """Close the zip."""
        self._zip.close()


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
        try:
            return path.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None

    def _holds(self, path: Path) -> bool:
        return path.is_file() and path.resolve().is_relative_to(self.path.resolve())


def open_archive(path: Path) -> Archive:
    """Open a zip or a folder; UserError if it does not exist or is damaged."""
    if path.is_dir():
        return FolderArchive(path)
    if not path.exists():
        raise UserError(f"{path} does not exist; give a folder of images, or a zip of one")
    return ZipArchive(path)


def _unreadable(error: OSError) -> None:
    raise UserError(f"cannot read {error.filename}: {error.strerror}")
