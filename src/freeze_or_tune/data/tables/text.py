"""The text of a table: its encoding, its separator, and its rows one after the other, never all at once."""

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from typing import IO, TypeVar

from freeze_or_tune.data.tables.names import known, rank
from freeze_or_tune.system.errors import UserError

Source = Callable[[], IO[bytes]]
"""Opens the table from its start."""
Rows = Iterator[tuple[int, list[str]]]
"""Each row's line, from 1, and its cells."""

MOST_LINE = 1 << 20
"""Characters of one line; a longer one is no row of a table of images."""
MOST_COLUMNS = 10_000
MOST_ROWS = 5_000_000

_Row = TypeVar("_Row")
_Sized = TypeVar("_Sized", bound=Sized)

_CHUNK = 1 << 20
_SAMPLE = 1000
"""Rows by which the separator is found, and the keys of JSON lines."""
_SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class Text:
    """A table that can be read again and again; UserError (with the line) wherever it is none."""

    name: str
    """For messages."""
    source: Source = field(repr=False)

    @cached_property
    def encoding(self) -> str:
        """UTF-8 or UTF-16 by its mark; what is not UTF-8 is Windows-1252, as spreadsheets write it."""
        with self.source() as file:
            head = file.read(2)
        if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            self._check("utf-16")
            return "utf-16"
        try:
            self._check("utf-8-sig")
        except UnicodeDecodeError:
            self._check("cp1252")
            return "cp1252"
        return "utf-8-sig"

    @cached_property
    def separator(self) -> str:
        """What parts the cells of a line; nothing if each line is an object of JSON."""
        lines = self._beginning()
        start = next((line.strip() for _, line in lines if line.strip()), "")
        if start.startswith("{"):
            return ""
        hint = re.fullmatch(r"sep=(.)", start)  # what Excel writes for itself
        if hint:
            return hint[1]
        texts = [line for _, line in _after_comments(lines)]
        counted = {separator: _widths(texts, separator) for separator in f"{_SEPARATORS} "}
        # A space parts only what nothing else does: names may hold spaces.
        if max(counted[one][2] for one in _SEPARATORS) < 2 and counted[" "][0] and counted[" "][2] == 2:
            return " "
        return max(_SEPARATORS, key=counted.__getitem__)

    @cached_property
    def first(self) -> list[str]:
        """The cells of the first row, which may be a header; the keys of JSON lines."""
        if not self.separator:
            keys: dict[str, None] = {}
            for line, row in islice(self._objects(), _SAMPLE):
                keys |= dict.fromkeys(row)
                self._bounded(line, keys)
            return list(keys)
        return next(self._records(), (0, []))[1]

    def rows(self, *, header: bool) -> Rows:
        """All rows, without the header and blank lines, each as wide as the first one or shorter."""
        if not self.separator:
            for line, row in self._counted(self._objects()):
                yield line, [row.get(key, "") for key in self.first]
            return
        records = self._records()
        if header:
            next(records, None)
        width = len(self.first)
        for line, cells in self._counted(records):
            if any(cell.strip() for cell in cells[width:]):
                raise UserError(f"{self.name}, line {line}: {len(cells)} cells, not {width} as in the first line")
            yield line, cells[:width]

    def _check(self, encoding: str) -> None:
        """Raise UserError if this is no text or has an endless line, UnicodeDecodeError if it is another encoding."""
        strict = "surrogateescape" if encoding == "cp1252" else "strict"
        decoder, line, length = codecs.getincrementaldecoder(encoding)(strict), 1, 0
        with self.source() as file:
            for chunk in chain(iter(lambda: file.read(_CHUNK), b""), [b""]):
                try:
                    text = decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError as error:
                    if encoding == "utf-16":
                        raise UserError(f"{self.name} is no table: its text is damaged ({error.reason})") from None
                    raise
                if "\0" in text:
                    raise UserError(f"{self.name} is no table of text, it holds bytes of zero; give a CSV")
                pieces = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
                for i, piece in enumerate(pieces):
                    length = len(piece) + (0 if i else length)
                    if length > MOST_LINE:
                        raise UserError(
                            f"{self.name}, line {line + i}: more than {MOST_LINE:,} characters, which is no row of "
                            "files and labels"
                        )
                line += len(pieces) - 1

    def _lines(self) -> Iterator[tuple[int, str]]:
        errors = "strict" if self.encoding == "utf-16" else "surrogateescape"
        with io.TextIOWrapper(self.source(), self.encoding, errors, newline="") as lines:
            yield from enumerate(lines, 1)

    def _beginning(self) -> list[tuple[int, str]]:
        lines, length = list[tuple[int, str]](), 0
        for number, line in islice(self._lines(), _SAMPLE):
            lines.append((number, line))
            length += len(line)
            if length > MOST_LINE:
                break
        return lines

    def _records(self) -> Rows:
        """Rows that are not blank, by the line on which each begins."""
        kept = _after_comments(self._lines())
        first = next(kept, (1, ""))
        reader = csv.reader(chain([first[1]], (line for _, line in kept)), delimiter=self.separator, strict=True)
        before = first[0] - 1
        while True:
            line = before + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                opened = ": a quote that opens there is not closed" if "unexpected end" in str(error) else f": {error}"
                raise UserError(f"{self.name}, line {line}{opened}") from None
            if any(cell.strip() for cell in cells):
                yield line, self._bounded(line, [cell.strip() for cell in cells])

    def _objects(self) -> Iterator[tuple[int, dict[str, str]]]:
        for number, line in self._lines():
            if not line.strip():
                continue
            try:
                row = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
            except (ValueError, RecursionError) as error:
                raise UserError(f"{self.name}, line {number}: no JSON ({error})") from None
            if not isinstance(row, dict):
                raise UserError(f"{self.name}, line {number}: no object of JSON such as {_EXAMPLE}")
            self._bounded(number, row)
            yield number, {key: _as_text(value) for key, value in row.items()}

    def _bounded(self, line: int, cells: _Sized) -> _Sized:
        if len(cells) > MOST_COLUMNS:
            raise UserError(
                f"{self.name}, line {line}: {len(cells):,} columns, more than the {MOST_COLUMNS:,} of any table that "
                "is read here"
            )
        return cells

    def _counted(self, rows: Iterable[tuple[int, _Row]]) -> Iterator[tuple[int, _Row]]:
        for i, row in enumerate(rows):
            if i == MOST_ROWS:
                raise UserError(f"{self.name} has more than {MOST_ROWS:,} lines, more than can be read here")
            yield row


_EXAMPLE = '{"path": "a.jpg", "label": "cat"}'


def _after_comments(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines from the first on that says something; `#path,label` is a header."""
    said = False
    for number, line in lines:
        text = line.strip()
        comment = text.startswith("#") and all(rank(cell) is None for cell in re.split(r"[,;\t| ]", text[1:]))
        if said or (text and not comment and not re.fullmatch(r"sep=.", text)):
            said = True
            yield number, line


def _widths(lines: list[str], separator: str) -> tuple[bool, int, int]:
    """Whether a separator parts all lines alike, how many names of the header are known then, and into how many."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator) if any(cell.strip() for cell in row)]
    except csv.Error:
        return False, 0, 0
    widths = [len(row) for row in rows[: max(1, len(rows) - 1)]]  # the last one may go on beyond the sample
    alike = bool(widths) and set(widths) == {widths[0]} and widths[0] > 1
    return alike, known(rows[0]) if rows else 0, widths[0] if widths else 0


def _as_text(value: object) -> str:
    """A value of JSON as a cell, numbers as they were written."""
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else json.dumps(value, ensure_ascii=False)
