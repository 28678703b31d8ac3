"""Several archives as one: a dataset whose years or lists are files of their own."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from freeze_or_tune.data.archives.base import Archive
from freeze_or_tune.data.archives.folders import FileArchive, FolderArchive
from freeze_or_tune.system.errors import UserError

SUFFIXES = (".gz", ".tar", ".tgz", ".zip")


class JoinedArchive(Archive):
    """Named as if each archive were unpacked into a folder of its own name; a single file keeps its name."""

    def __init__(self, archives: Sequence[Archive]) -> None:
        """Join open archives; UserError if two have the same name."""
        super().__init__(Path(os.path.commonpath([archive.path.parent.absolute() for archive in archives])))
        self._archives: dict[str, Archive] = {}
        for archive in archives:
            name = _name(archive)
            if name in self._archives:
                raise UserError(f"{self._archives[name].path} and {archive.path} are both named {name!r}; rename one")
            self._archives[name] = archive

    def names(self) -> list[str]:
        """Sorted paths of all files."""
        return sorted(
            name if isinstance(archive, FileArchive) else f"{folder}/{name}"
            for folder, archive in self._archives.items()
            for name in archive.names()
        )

    def read(self, name: str) -> bytes:
        """Bytes of a file."""
        archive, inside = self._place(name)
        return archive.read(inside)

    def open(self, name: str) -> IO[bytes]:
        """A file from its start."""
        archive, inside = self._place(name)
        return archive.open(inside)

    def close(self) -> None:
        """Close all of them."""
        for archive in self._archives.values():
            archive.close()

    def _place(self, name: str) -> tuple[Archive, str]:
        first, _, rest = name.partition("/")
        return self._archives[first], rest or first


def _name(archive: Archive) -> str:
    """The archive's file name without the suffixes of archives."""
    name = archive.path.name
    while not isinstance(archive, FileArchive | FolderArchive) and name.lower().endswith(SUFFIXES):
        name = name.rpartition(".")[0]
    return name
