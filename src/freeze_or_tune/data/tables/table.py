"""A table of files and labels, read whole: one entry a file that is there."""

import re
import sys
from collections import Counter
from dataclasses import dataclass

from freeze_or_tune.data.tables.columns import Roles, find_roles
from freeze_or_tune.data.tables.matching import Files, Matcher
from freeze_or_tune.data.tables.names import SUBSETS, Said, shown, way_out
from freeze_or_tune.data.tables.text import Text
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError

_FEW = 10
"""Images of which each may well have a label of its own: too few classes is said in its turn."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a table says of one file."""

    line: int
    label: str
    subset: str = ""
    group: str = ""


@dataclass(frozen=True)
class Table:
    """What a table says of all."""

    entries: dict[str, Entry]
    """By the normal path from the table's folder."""
    missing: tuple[str, ...]
    """What it calls the files that are not there."""
    findings: tuple[Finding, ...]


def read_table(text: Text, files: Files, wished: Said | None = None, *, guess: bool = True) -> Table:
    """Read a table; UserError says what is wrong, with the line where it is one's, and NoLabel that it has no label.

    `wished` says which column is what. Without `guess`, the label is known by its name alone.
    """
    matcher = Matcher(files, text.encoding)
    roles = find_roles(text, matcher, wished or {}, guess=guess)
    said: dict[str, Entry] = {}
    nameless, unlabelled, repeated = [], [], []
    for line, cells in text.rows(header=roles.header):
        cell, entry = _entry(text, roles, line, cells)
        if not cell:
            nameless.append(f"line {line}")
        elif not entry.label:
            unlabelled.append(cell)
        elif _kept(text, said, cell, cell, entry) is not entry:
            repeated.append(cell)
    _check_labels(text, Counter(entry.label for entry in said.values()))
    matches = matcher.match(list(said), text.name)
    entries: dict[str, Entry] = {}
    for cell, path in matches.paths.items():
        if _kept(text, entries, path, cell, said[cell]) is not said[cell]:
            repeated.append(cell)
    findings = [
        *_told(len(said), f"Columns of {text.name}: {roles}; lines", worth=bool(str(roles))),
        *_told(len(entries), f"Files {matches.words}; files", worth=bool(matches.words)),
        *_told(len(said), f"{text.name} is read as Windows-1252, for it is not UTF-8; lines",
               worth=text.encoding == "cp1252"),
        *Finding.of("stray", unlabelled, f"Images without a label in {text.name}; they are left out"),
        *Finding.of("stray", nameless, f"Lines of {text.name} that name no file; they are left out"),
        *Finding.of("read", repeated, f"Lines of {text.name} that say again what another one says; they count once"),
    ]  # fmt: skip
    missing = tuple(sorted(cell for cell in said if cell not in matches.paths))
    return Table(entries, missing, tuple(findings))


def _told(count: int, words: str, *, worth: bool) -> list[Finding]:
    return [Finding(kind="read", words=words, count=count)] if worth else []


def _entry(text: Text, roles: Roles, line: int, cells: list[str]) -> tuple[str, Entry]:
    """The file's cell, and what the row says of it."""
    used = [i for i in (roles.path, roles.label, roles.split, roles.group) if i is not None]
    if len(cells) <= max(used):
        raise UserError(f"{text.name}, line {line}: {len(cells)} cells, not {len(roles.names)} ({shown(roles.names)})")
    path, label, split, group = (
        "" if i is None else cells[i] for i in (roles.path, roles.label, roles.split, roles.group)
    )
    if re.match(r"[a-zA-Z][\w+.-]+://", path):
        raise UserError(
            f"{text.name}, line {line}: {shown([path])} is an address of the network; download the files, and write "
            "where they lie"
        )
    if split.lower() not in SUBSETS:
        name = roles.names[roles.split or 0]
        raise UserError(
            f"{text.name}, line {line}: the column {name!r} holds {shown([split])}, but a split is train, val or test "
            f"(or nothing); if the column is something else, rename it, or say so: {way_out('{split: null}')}"
        )
    if not all(map(_can_be_written, (label, group))):
        raise UserError(f"{text.name}, line {line}: {shown([label, group])} are no text")
    return path, Entry(line, sys.intern(label), SUBSETS[split.lower()], sys.intern(group))


def _kept(text: Text, entries: dict[str, Entry], key: str, cell: str, entry: Entry) -> Entry:
    """The first entry of a file; UserError if another line says something else of it."""
    first = entries.setdefault(key, entry)
    if first is entry or (first.label, first.subset, first.group) == (entry.label, entry.subset, entry.group):
        return first
    where = f"{text.name}, line {entry.line}: {shown([cell])} has another"
    if first.label != entry.label:
        raise UserError(
            f"{where} label than before: {shown([entry.label])}, in line {first.line} {shown([first.label])}; a "
            "picture with several labels cannot be learnt here, leave it one"
        )
    raise UserError(f"{where} split or group than in line {first.line}; leave it one")


def _check_labels(text: Text, labels: Counter[str]) -> None:
    """Raise UserError if the labels are several a picture, or measures."""
    several = next((label for label in labels if re.fullmatch(r"[\[{(].*[\]})]", label, re.DOTALL)), "") or next(
        filter(None, (_joined(labels, separator) for separator in ";|")), ""
    )
    if several:
        raise UserError(
            f"{text.name}: {shown([several])} is several labels, and a picture with several cannot be learnt here; "
            "leave each one label"
        )
    images = labels.total()
    many = len(labels) == images or (2 * len(labels) > images and all(map(_is_measure, labels)))
    if images >= _FEW and many:
        raise UserError(
            f"{text.name}: {len(labels):,} different labels for {images:,} images, such as {shown([*labels][:3])}; "
            "classes are learnt here, no measures and no names of single images"
        )


def _joined(labels: Counter[str], separator: str) -> str | None:
    """A label that joins others: one of its parts stands elsewhere, alone or in another company."""
    parts = Counter(part.strip() for label in labels for part in set(label.split(separator)))
    joined = (label for label in labels if separator in label)
    return next((label for label in joined if any(parts[part.strip()] > 1 for part in label.split(separator))), None)


def _is_measure(label: str) -> bool:
    return re.fullmatch(r"[-+]?\d*\.\d+(e[-+]?\d+)?", label, re.IGNORECASE) is not None


def _can_be_written(label: str) -> bool:
    try:
        return "\0" not in label and bool(label.encode("utf-8", "surrogateescape") or True)
    except UnicodeEncodeError:
        return False
