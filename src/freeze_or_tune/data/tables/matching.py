"""Which files the cells of a table name: as they are written, or by what ends alike below the table's folder."""

import os
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal, Protocol

from freeze_or_tune.data.decoding import suffixes
from freeze_or_tune.system.errors import UserError

_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")


class Files(Protocol):
    """Where a table's files may lie."""

    def holds(self, path: str) -> bool:
        """Whether there is a file at a normal path from the table's folder."""

    def below(self) -> list[str]:
        """All files below the table's folder, relative to it."""


@dataclass(frozen=True)
class Matches:
    """What was found."""

    paths: Mapping[str, str]
    """The path from the table's folder by what the table says; what is not there is missing."""
    words: str = ""
    """How they were found, if not simply as they are written."""


@dataclass(frozen=True)
class Matcher:
    """Looks for the files of one table."""

    files: Files
    encoding: str = "utf-8-sig"
    """Of the table: names of files may be bytes of it."""

    def as_written(self, cell: str) -> str | None:
        """The normal path of a file that is there, slashes for backslashes if need be."""
        for path in self._spellings(cell):
            if self.files.holds(path):
                return cell if path == cell else path  # the same text need not be kept twice
        return None

    def match(self, cells: Sequence[str], name: str) -> Matches:
        """Find the files of different cells of the table `name`; UserError if a cell fits several files.

        They are looked for by what their paths end in only if less than half of them are where the table says.
        """
        there = {cell: path for cell in cells if (path := self.as_written(cell)) is not None}
        if 2 * len(there) >= len(cells):
            return Matches(there, self._how_written(there))
        best: tuple[int, dict[str, list[str]]] = (0, {})
        for dropped in range(_shared(cells) + 1):
            ends = self._by_ends(cells, dropped)
            best = (dropped, ends) if len(ends) > len(best[1]) else best
            if len(best[1]) == len(cells):
                break
        dropped, ends = best
        if 2 * len(ends) < len(cells):
            return Matches(there, self._how_written(there))
        paths = _only(ends, dropped, name)
        return Matches(paths, _how_found(paths, dropped))

    def found(self, cells: Sequence[str]) -> bool:
        """Whether half of different cells name files."""
        enough = max(1, (len(cells) + 1) // 2)
        return sum(self.as_written(cell) is not None for cell in cells) >= enough or any(
            len(self._by_ends(cells, dropped)) >= enough for dropped in range(_shared(cells) + 1)
        )

    def _spellings(self, cell: str) -> list[str]:
        if not cell or "\0" in cell:
            return []
        # A Mac's files have their accents apart; a table in Windows-1252 may hold the names' own bytes.
        spellings = [cell] if cell.isascii() else [cell, *(unicodedata.normalize(form, cell) for form in _FORMS)]
        spellings += [_as_bytes(cell)] if self.encoding == "cp1252" else []
        slashes = [spelling.replace("\\", "/") for spelling in spellings if "\\" in spelling]
        return [os.path.normpath(spelling) for spelling in (*spellings, *slashes)]

    def _how_written(self, there: Mapping[str, str]) -> str:
        turned = any("\\" in cell and "\\" not in path for cell, path in there.items())
        return "with backslashes, which are taken for slashes" if turned else ""

    def _by_ends(self, cells: Iterable[str], dropped: int) -> dict[str, list[str]]:
        """The files whose paths end in a cell without its first `dropped` folders, with its suffix or without."""
        found = {}
        for cell in cells:
            parts = _parts(cell)[dropped:]
            if len(parts) > self._deepest:
                continue
            end = "/".join(parts)
            fitting = self._ending(len(parts)).get(end) or self._ending(len(parts), stems=True).get(end)
            if fitting:
                found[cell] = fitting
        return found

    @cached_property
    def _below(self) -> list[str]:
        return self.files.below()

    @cached_property
    def _deepest(self) -> int:
        return max((path.count("/") + 1 for path in self._below), default=0)

    @cached_property
    def _endings(self) -> dict[tuple[int, bool], dict[str, list[str]]]:
        return {}

    def _ending(self, parts: int, *, stems: bool = False) -> dict[str, list[str]]:
        """The files by so many last parts of their paths; `stems`: images alone, and without suffix.

        A caption beside an image is called as it is.
        """
        if (parts, stems) not in self._endings:
            by_end: dict[str, list[str]] = defaultdict(list)
            for path in self._below:
                stem, suffix = posixpath.splitext(path)
                if path.count("/") + 1 >= parts and (not stems or suffix.lower() in suffixes()):
                    by_end["/".join((stem if stems else path).rsplit("/", parts)[-parts:])].append(path)
            self._endings[parts, stems] = dict(by_end)
        return self._endings[parts, stems]


def _only(ends: Mapping[str, list[str]], dropped: int, name: str) -> dict[str, str]:
    """One file each: where some fit several, all are in the one folder that has one for each."""
    doubtful = next((cell for cell, paths in ends.items() if len(paths) > 1), None)
    if doubtful is None:
        return {cell: paths[0] for cell, paths in ends.items()}
    folders: set[str] | None = None
    by_folder: dict[str, dict[str, str]] = defaultdict(dict)
    for cell, paths in ends.items():
        depth = len(_parts(cell)) - dropped
        here = [("/".join(path.split("/")[:-depth]), path) for path in paths]
        single = {folder for folder, _ in here if sum(other == folder for other, _ in here) == 1}
        folders = single if folders is None else folders & single
        for folder, path in here:
            by_folder[folder][cell] = path
    if not folders or len(folders) > 1:
        raise UserError(
            f"{name}: {doubtful!r} may be {' or '.join(map(repr, ends[doubtful][:2]))}; write the files' paths as they "
            "lie from the table, with their suffixes"
        )
    return by_folder[folders.pop()]


def _how_found(paths: Mapping[str, str], dropped: int) -> str:
    cell, path = next(iter(paths.items()))
    begun = "/".join(_parts(cell)[:dropped]) or "/"
    parts = [
        f"without the folders {begun!r}, with which they begin" if dropped else "",
        "by names without suffix" if PurePosixPath(path).name != _parts(cell)[-1] else "",
    ]
    return ", ".join(["found below the table's folder", *filter(None, parts)]) + f", {cell!r} as {path!r}"


def _shared(cells: Sequence[str]) -> int:
    """How many folders at their beginning all paths share."""
    folders = [_parts(cell)[:-1] for cell in cells]
    first, last = min(folders, default=[]), max(folders, default=[])
    return next((i for i, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))


def _parts(cell: str) -> list[str]:
    """The folders and the name; an absolute path begins with nothing, or with its drive."""
    return posixpath.normpath(cell.replace("\\", "/")).split("/")


def _as_bytes(cell: str) -> str:
    """The name whose bytes the table holds."""
    return cell.encode("cp1252", "surrogateescape").decode("utf-8", "surrogateescape")
