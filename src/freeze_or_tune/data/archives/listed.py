"""Images named by a table: those below its own folder, or below one other."""

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import IO

from freeze_or_tune.data.archives.folders import FolderArchive, walked
from freeze_or_tune.data.tables.table import Entry, read_table
from freeze_or_tune.data.tables.text import Text
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.study.opening import Columns
from freeze_or_tune.system.errors import UserError


class ListedArchive(FolderArchive):
    """The files that a table lists; nothing else in their folder is looked at."""

    def __init__(self, table: Path, *, follow_links: bool = False, columns: Columns | None = None) -> None:
        """Read the table; UserError names the line that is wrong."""

        def opened() -> IO[bytes]:
            try:
                return table.open("rb")
            except OSError as error:
                raise UserError(f"cannot read {table}: {error.strerror}") from None

        read = read_table(Text(str(table), opened), _Disk(table.parent, follow_links=follow_links), columns)
        root = _root(table, read.entries)
        super().__init__(root, follow_links=follow_links)
        self.table = table
        self.entries: dict[str, Entry] = {
            os.path.relpath(table.parent / path, root): entry for path, entry in read.entries.items()
        }
        self._missing = read.missing
        self.findings += read.findings
        if root != table.parent:
            self.findings.append(
                Finding(
                    kind="read", count=len(self.entries),
                    words=f"Files that {table} lists below {root}, not below its own folder",
                )
            )  # fmt: skip

    def names(self) -> list[str]:
        """Sorted paths of the files that are listed and there."""
        there = {name for name in self.entries if self._holds(name)}
        self.left_out = tuple(sorted((*(self.entries.keys() - there), *self._missing)))
        return sorted(there)


def _root(table: Path, paths: Iterable[str]) -> Path:
    """The table's folder if all files are below it, else the one that they share; UserError if there is none."""
    own = os.path.abspath(table.parent)  # noqa: PTH100 - `..` goes as it is written, whatever links there are
    folders = {os.path.dirname(os.path.normpath(os.path.join(own, path))) for path in paths}  # noqa: PTH118, PTH120
    shared = os.path.commonpath([own, *folders])
    if shared == own:
        return table.parent
    shared = os.path.commonpath(folders)
    if Path(shared).parent == Path(shared):
        raise UserError(f"{table}: its files lie in no common folder, but in {min(folders)} and in {max(folders)}")
    return Path(shared)


class _Disk:
    """What lies where on the disk, each folder listed once."""

    def __init__(self, folder: Path, *, follow_links: bool) -> None:
        self._folder, self._follows = folder, follow_links
        self._files = cache(self._listed)

    def holds(self, path: str) -> bool:
        folder, name = os.path.split(path)
        return name in self._files(folder)

    def below(self) -> list[str]:
        names, _ = walked(self._folder, lambda _: None, follow_links=self._follows)
        return [name for name in names if "/." not in f"/{name}" and not name.startswith("__MACOSX/")]

    def _listed(self, folder: str) -> frozenset[str]:
        try:
            with os.scandir(self._folder / folder) as found:
                return frozenset(entry.name for entry in found if entry.is_file() or entry.is_symlink())
        except (OSError, ValueError):  # not there, not ours, or no name that a folder can have
            return frozenset()
