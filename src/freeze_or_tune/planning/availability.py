"""Where each file of a study is or can be had, before anything is fetched: what is here, and what addresses answer."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from freeze_or_tune.data.downloads.asking import ask_all
from freeze_or_tune.data.downloads.catalogue import Download, weights_of
from freeze_or_tune.data.downloads.choosing import Table, placed, row_of
from freeze_or_tune.data.downloads.fetching import by_hand, page_of
from freeze_or_tune.records.availability import Answer, Availability, Choice, File, Needed
from freeze_or_tune.study.study import Study

Asker = Callable[[Iterable[Download]], Iterable[tuple[Download, Answer]]]
"""The answers of all addresses of rows."""
_MADE = "resources/builtin/"
"""Files that rules make of what is installed."""
_DOWNLOADED = "resources/downloads/"
_ANYWAY = "pypi:"
"""Addresses that are answered by an index of one's own, too, where there is no network."""


@dataclasses.dataclass(frozen=True)
class Wish:
    """A dataset or a network, and its sets of files, in order: (reader, paths)."""

    name: str
    choices: tuple[tuple[str, tuple[str, ...]], ...]


def wishes(study: Study) -> Iterator[Wish]:
    """What a study needs that its rules do not make."""
    for name in study.used_datasets():
        dataset = study.dataset(name)
        choices = tuple((one.reader, one.files) for one in getattr(dataset, "choices", (dataset,)))
        if not all(file.startswith(_MADE) for file in choices[0][1]):
            yield Wish(name, choices)
    for name, weights in study.imported().items():
        yield Wish(f"weights of {name}", (("weights", tuple(filter(None, (weights.file, weights.mean)))),))


def look(study: Study, table: Table, folder: Path, asker: Asker = ask_all) -> Availability:
    """Look at what lies in `folder`, and ask the addresses of what does not; `table` is that of downloads."""
    wanted = list(wishes(study))
    known = {weights.file: weights_of(weights) for weights in study.fetched.values()}
    files = dict.fromkeys(file for wish in wanted for _, files in wish.choices for file in files)
    rows = {file: row_of(table, file) or known.get(file) for file in files}
    found = {file: _here(file, rows[file], folder) for file in files}
    asked: dict[Download, list[Answer]] = defaultdict(list)
    absent = [row for file, row in rows.items() if row and found[file].state == "missing"]
    for row, answer in asker(dict.fromkeys(absent)):
        asked[row].append(answer)
    found |= {file: _answered(found[file], row, tuple(asked[row]), folder) for file, row in rows.items() if row}
    needed = tuple(
        Needed(
            name=wish.name,
            choices=tuple(
                Choice(reader=reader, files=tuple(found[file] for file in files)) for reader, files in wish.choices
            ),
        )
        for wish in wanted
    )
    return Availability(study=study.name, needed=needed)


def offline(found: Availability) -> bool:
    """Whether there are addresses, and not one of them has answered."""
    answers = [
        answer
        for needed in found.needed
        for choice in needed.choices
        for file in choice.files
        for answer in file.answers
        if not answer.address.startswith(_ANYWAY)
    ]
    return bool(answers) and all(answer.state == "silent" for answer in answers)


def _here(file: str, row: Download | None, folder: Path) -> File:
    """What lies where a file belongs, or where a person places it; its digest was checked when it was fetched."""
    path = folder / file
    if row is None:
        strange = "" if path.exists() or not file.startswith(_DOWNLOADED) else "the table of downloads does not list it"
        return File(path=file, state="here" if path.exists() else "missing", words=strange)
    for where, state in ((path, "here"), (placed(path), "placed")):
        if where.exists():
            problem = dataclasses.replace(row.wanted, digest=None).problem(where)
            words = f"{where} {problem}" if problem else ""
            return File(path=file, state="wrong" if problem else state, words=words, bytes=where.stat().st_size)
    return File(path=file, state="missing", bytes=row.bytes)


def _answered(file: File, row: Download, answers: tuple[Answer, ...], folder: Path) -> File:
    alive = next((answer for answer in answers if answer.state == "alive"), None)
    state = "alive" if alive else file.state
    lacking = "" if alive or file.had else by_hand(row, row.wanted, placed(folder / file.path))
    told = {"answers": answers, "page": page_of(row), "state": state, "by_hand": lacking}
    return file.model_copy(update=told | ({"bytes": file.bytes or alive.bytes} if alive else {}))
