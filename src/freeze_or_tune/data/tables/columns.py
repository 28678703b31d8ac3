"""Which column of a table is what: as its owner says, by its name, or by what it holds where that leaves no doubt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath

from freeze_or_tune.data.decoding import suffixes
from freeze_or_tune.data.tables.matching import Matcher
from freeze_or_tune.data.tables.names import (
    GROUPS,
    LABELS,
    LAST_LABELS,
    SPLITS,
    SUBSETS,
    Said,
    known,
    plain,
    rank,
    shown,
    way_out,
)
from freeze_or_tune.data.tables.text import Text
from freeze_or_tune.system.errors import UserError

_LOOKED_AT = 100
"""Rows that tell whether a column names files; columns that are looked into at all."""
_MOST_LABELS = 20_000
"""Different values of a column from which on it is no label."""


class NoLabel(UserError):
    """No column of a table is a label."""


@dataclass(frozen=True)
class Roles:
    """Where in a row is what."""

    names: tuple[str, ...]
    header: bool
    path: int
    label: int
    split: int | None = None
    group: int | None = None

    def __str__(self) -> str:
        """In words; nothing if it is as a matter of course."""
        if self.header and [name.lower() for name in self.names] == ["path", "label"]:
            return ""
        meant = {self.path: "the file", self.label: "the label", self.split: "the split", self.group: "the group"}
        taken = [f"{self.names[i]!r} is {what}" for i, what in meant.items() if i is not None]
        unused = [name for i, name in enumerate(self.names) if i not in meant and name]
        return ", ".join(taken) + (f"; not used: {shown(unused)}" if unused else "")


def find_roles(text: Text, matcher: Matcher, wished: Said, *, guess: bool = True) -> Roles:
    """What each column is; UserError, with the header found and the one expected, if that is in doubt.

    Without `guess`, a label is known by its name alone. NoLabel if there is none.
    """
    if not text.first:
        raise UserError(f"{text.name} is empty; {_EXPECTED}")
    header = _has_header(text, matcher, wished)
    names = text.first if header else [f"column {i + 1}" for i in range(len(text.first))]
    return _Finder(text, matcher, wished, names, header=header, guess=guess).roles()


_EXPECTED = "expected is a first line such as path,label (split and group may follow), then lines as photos/a.jpg,cat"


def _has_header(text: Text, matcher: Matcher, wished: Said) -> bool:
    """Whether the first row names columns; it does not if it names a file."""
    if not text.separator or any(isinstance(name, str) for name in wished.values()):
        return True
    if any(matcher.as_written(cell) is not None for cell in text.first):
        return False
    if any(PurePosixPath(cell).suffix.lower() in suffixes() for cell in text.first):
        return False
    return known(text.first) > 0 or not any(matcher.found([cell]) for cell in text.first[:_LOOKED_AT] if cell)


@dataclass(frozen=True)
class _Finder:
    text: Text
    matcher: Matcher
    wished: Said
    names: Sequence[str]
    header: bool = field(kw_only=True)
    guess: bool = field(kw_only=True)

    def roles(self) -> Roles:
        path = self._wished("path")
        path = self._path() if path is None else path
        taken = {path, *(self._wished(role) for role in ("label", "split", "group"))}
        split, group = self._named("split", SPLITS, taken), self._named("group", GROUPS, taken)
        taken |= {split, group}
        if split is None and "split" not in self.wished:
            split = self._split_by_content(taken)
        label = self._wished("label")
        label = self._label(taken | {split}) if label is None else label
        return Roles(tuple(self.names), self.header, path, label, split, group)

    def unclear(self, problem: str, kind: type[UserError] = UserError) -> UserError:
        """The error that shows what is there, what is expected, and the way out."""
        first = shown(self.text.first)
        return kind(
            f"{self.text.name}: {problem}; its first line is {first}, {_EXPECTED}. Rename the columns, or say "
            f"which is which: {way_out('{path: ..., label: ...}')}"
        )

    def _wished(self, role: str) -> int | None:
        name = self.wished.get(role)
        if name is None:
            return None
        if isinstance(name, int):
            if name > len(self.names):
                raise self.unclear(f"the study says that column {name} is its {role}, but it has {len(self.names)}")
            return name - 1
        found = [i for i, other in enumerate(self.names) if other == name]
        found = found or [i for i, other in enumerate(self.names) if plain(other) == plain(name)]
        if len(found) != 1:
            raise self.unclear(f"the study says that its {role} is {name!r}, but {len(found) or 'no'} columns are")
        return found[0]

    def _named(self, role: str, known_names: set[str], taken: set[int | None]) -> int | None:
        if role in self.wished:
            return self._wished(role)
        found = [i for i, name in enumerate(self.names) if plain(name) in known_names and i not in taken]
        if len(found) > 1:
            raise self.unclear(f"{self._list(found)} may each be the {role}")
        return found[0] if found else None

    def _list(self, columns: Sequence[int]) -> str:
        return shown([self.names[i] for i in columns])

    def _path(self) -> int:
        ranks = {i: found for i, name in enumerate(self.names) if (found := rank(name)) is not None}
        best = [i for i, found in ranks.items() if found == min(ranks.values())]
        named = [i for i in range(len(self.names)) if plain(self.names[i]) not in ("", "unnamed0")][:_LOOKED_AT]
        for columns in (best, [i for i in named if i not in best and self._differs(i)]):
            for fits in (self._written, self._found):
                fitting = [i for i in columns if fits(i)]
                if len(fitting) > 1:
                    raise self.unclear(f"{self._list(fitting)} each name files")
                if fitting:
                    return fitting[0]
        if len(best) == 1:
            return best[0]  # its files are not there, which is said in its turn
        which = f"{self._list(best)} may each be" if best else "no column is called as, or holds,"
        raise self.unclear(f"{which} the files")

    @cached_property
    def _sample(self) -> list[list[str]]:
        return [cells for _, cells in islice(self.text.rows(header=self.header), _LOOKED_AT)]

    def _cells(self, column: int) -> list[str]:
        return [cells[column] for cells in self._sample if column < len(cells) and cells[column]]

    def _differs(self, column: int) -> bool:
        cells = self._cells(column)
        return 2 * len(set(cells)) >= len(cells) > 0

    def _written(self, column: int) -> bool:
        return any(self.matcher.as_written(cell) is not None for cell in self._cells(column))

    def _found(self, column: int) -> bool:
        return self.matcher.found(list(dict.fromkeys(self._cells(column))))

    @cached_property
    def _values(self) -> list[set[str]]:
        """The different values of each column that is looked into, no more of them than labels."""
        values: list[set[str]] = [set() for _ in self.names[:_LOOKED_AT]]
        for _, cells in self.text.rows(header=self.header):
            for known_values, cell in zip(values, cells, strict=False):
                if len(known_values) <= _MOST_LABELS:
                    known_values.add(cell)
        return values

    @cached_property
    def _rows(self) -> int:
        return sum(1 for _ in self.text.rows(header=self.header))

    def _free(self, taken: set[int | None]) -> list[int]:
        return [i for i in range(min(len(self.names), _LOOKED_AT)) if i not in taken]

    def _split_by_content(self, taken: set[int | None]) -> int | None:
        free = [i for i in self._free(taken) if plain(self.names[i]) not in LABELS]
        fits = [i for i in free if _all_in(self._cells(i), SUBSETS) and _all_in(self._values[i], SUBSETS)]
        fits = [i for i in fits if len(self._values[i] - {""}) > 1]
        if len(fits) > 1:
            raise self.unclear(f"{self._list(fits)} may each be the split")
        return fits[0] if fits else None

    def _label(self, taken: set[int | None]) -> int:
        free = [i for i in range(len(self.names)) if i not in taken]
        named = [i for i in free if plain(self.names[i]) in LABELS]
        named = named or [i for i in free if plain(self.names[i]) in LAST_LABELS]
        if len(named) > 1:
            if not self._say_the_same(named):
                raise self.unclear(f"{self._list(named)} may each be the label")
            return next((i for i in named if not all(map(_is_number, self._cells(i)))), named[0])
        if named:
            return named[0]
        free = [i for i in self._free(taken) if self.names[i]]
        if not self.guess or not free:
            raise self.unclear("no column is called as the label", NoLabel)
        if len(free) == 1:
            return free[0]
        if self._one_hot(free):
            raise self.unclear(f"{self._list(free)} hold 0 and 1 each, but a picture takes one label, in one column")
        fits = [i for i in free if 1 < len(self._values[i]) <= min(self._rows / 2, _MOST_LABELS)]
        if len(fits) != 1:
            which = f"{self._list(fits)} may each be" if fits else "no column is called as, or can be,"
            raise self.unclear(f"{which} the label", UserError if fits else NoLabel)
        return fits[0]

    def _say_the_same(self, columns: Sequence[int]) -> bool:
        """Whether columns part the images alike, as a class's number and its name do."""
        together: set[tuple[str, ...]] = set()
        each: list[set[str]] = [set() for _ in columns]
        for _, cells in self.text.rows(header=self.header):
            row = tuple(cells[i] if i < len(cells) else "" for i in columns)
            together.add(row)
            for values, cell in zip(each, row, strict=True):
                values.add(cell)
            if len(together) > min(_MOST_LABELS, *map(len, each)):
                return False
        return True

    def _one_hot(self, columns: Sequence[int]) -> bool:
        numbers = [i for i in columns if self._values[i] and all(map(_is_number, self._values[i]))]
        return len(numbers) > 1 and all({float(value) for value in self._values[i]} <= {0, 1} for i in numbers)


def _all_in(values: set[str] | Sequence[str], words: Mapping[str, str]) -> bool:
    return all(value.lower() in words for value in values)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
