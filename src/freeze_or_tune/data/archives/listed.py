"""Images named by a table: those below its own folder, or below one other."""

import os
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import IO

from freeze_or_tune.data.archives.base import is_hidden
from freeze_or_tune.data.archives.folders import FolderArchive, walked
from freeze_or_tune.data.tables.names import Said
from freeze_or_tune.data.tables.table import Entry, read_table
from freeze_or_tune.data.tables.text import Text
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError


class ListedArchive(FolderArchive):
    """The files that a table lists; nothing else in their folder is looked at."""

    def __init__(self, table: Path, *, follow_links: bool = False, columns: Said | None = None) -> None:
        """Read the table; UserError names the line that is wrong."""
        self._disk = _Disk(table.parent, follow_links=follow_links)
        read = read_table(Text(str(table), partial(_opened, table)), self._disk, columns)
        root = _root(table, read.entries)
        super().__init__(root, follow_links=follow_links)
        self.table = table
        self._paths = {name: path for path, name in _named(table.parent, root, read.entries)}
        self.entries: dict[str, Entry] = {name: read.entries[path] for name, path in self._paths.items()}
        self._missing = read.missing
        self.findings += read.findings
        if root != table.parent:
            words = f"Files that {table} lists below {root}, not below its own folder"
            self.findings.append(Finding(kind="read", count=len(self.entries), words=words))

    def names(self) -> list[str]:
        """Sorted paths of the files that are listed and there."""
        if self._names is None:
            top = self.path.resolve()
            self._names = sorted(
                name for name, path in self._paths.items() if self._disk.is_plain(path, top) or self._holds(name)
            )
            self.left_out = tuple(sorted((*self.entries.keys() - set(self._names), *self._missing)))
        return list(self._names)


def _opened(table: Path) -> IO[bytes]:
    try:
        return table.open("rb")
    except OSError as error:
        raise UserError(f"cannot read {table}: {error.strerror}") from None


def _root(table: Path, paths: Iterable[str]) -> Path:
    """The table's folder if all files are below it, else the one that they share; UserError if there is none."""
    own = os.path.abspath(table.parent)  # noqa: PTH100 - `..` goes as it is written, whatever links there are
    folders = {os.path.normpath(os.path.join(own, folder)) for folder in set(map(os.path.dirname, paths))}  # noqa: PTH118
    shared = os.path.commonpath([own, *folders])
    if shared == own:
        return table.parent
    shared = os.path.commonpath(folders)
    if Path(shared).parent == Path(shared):
        raise UserError(f"{table}: its files lie in no common folder, but in {min(folders)} and in {max(folders)}")
    return Path(shared)


def _named(folder: Path, root: Path, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each normal path from the table's folder, and its name below the root."""
    below = cache(partial(os.path.relpath, start=root))
    for path in paths:
        if root == folder and not path.startswith("/"):
            yield path, path
        else:
            inside, name = os.path.split(path)
            yield path, os.path.normpath(os.path.join(below(folder / inside), name))  # noqa: PTH118 - of millions


class _Disk:
    """What lies where on the disk, each folder looked at once."""

    def __init__(self, folder: Path, *, follow_links: bool) -> None:
        self._folder, self._follows = folder, follow_links
        self._files, self._within = cache(self._listed), cache(self._lies_within)

    def holds(self, path: str) -> bool:
        folder, name = os.path.split(path)
        return name in self._files(folder)

    def below(self) -> list[str]:
        names, _ = walked(self._folder, lambda _: None, follow_links=self._follows)
        return [name for name in names if not is_hidden(name)]

    def is_plain(self, path: str, top: Path) -> bool:
        """Whether a file is no link, and neither is its folder one that leads out of `top`."""
        folder, name = os.path.split(path)
        return self._files(folder).get(name, False) and self._within(folder, top)

    def _lies_within(self, folder: str, top: Path) -> bool:
        return (self._folder / folder).resolve().is_relative_to(top)

    def _listed(self, folder: str) -> dict[str, bool]:
        """The files and links in a folder, and whether each is a file itself."""
        try:
            with os.scandir(self._folder / folder) as found:
                files = {
                    entry.name: entry.is_file(follow_symlinks=False)
                    for entry in found
                    if not entry.is_dir(follow_symlinks=False)
                }
        except (OSError, ValueError):  # not there, not ours, or no name that a folder can have
            return {}
        return files
