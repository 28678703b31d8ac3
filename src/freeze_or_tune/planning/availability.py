"""Where each file of a study is or can be had, before anything is fetched: what is here, and what addresses answer."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from freeze_or_tune.data.downloads import hub
from freeze_or_tune.data.downloads.asking import Wish, ask_all
from freeze_or_tune.data.downloads.catalogue import Download, weights_of
from freeze_or_tune.data.downloads.choosing import Table, placed, row_of
from freeze_or_tune.data.downloads.fetching import contents_of, page_of
from freeze_or_tune.records.availability import Answer, Availability, ByHand, Choice, File, Needed
from freeze_or_tune.study.hub import HubDataset, of_folder
from freeze_or_tune.study.images import FETCHED
from freeze_or_tune.study.study import Study

Asker = Callable[[Iterable[Wish]], Iterable[tuple[Wish, Answer]]]
"""The answers of all addresses of what is wanted."""
_MADE = "resources/builtin/"
"""Files that rules make of what is installed."""
_DOWNLOADED = "resources/downloads/"
_ANYWAY = "pypi:"
"""Addresses that are answered by an index of one's own, too, where there is no network."""


@dataclasses.dataclass(frozen=True)
class Need:
    """A dataset or a network, and its sets of files, in order: (reader, paths)."""

    name: str
    choices: tuple[tuple[str, tuple[str, ...]], ...]


def needs(study: Study) -> Iterator[Need]:
    """What a study needs that its rules do not make."""
    for name in study.used_datasets():
        dataset = study.dataset(name)
        choices = tuple((one.reader, one.files) for one in getattr(dataset, "choices", (dataset,)))
        if not all(file.startswith(_MADE) for file in choices[0][1]):
            yield Need(name, choices)
    for name, weights in study.imported().items():
        yield Need(f"weights of {name}", (("weights", tuple(filter(None, (weights.file, weights.mean)))),))


def look(study: Study, table: Table, folder: Path, asker: Asker = ask_all) -> Availability:
    """Look at what lies in `folder`, and ask the addresses of what does not; `table` is that of downloads."""
    wanted = list(needs(study))
    files = dict.fromkeys(file for need in wanted for _, files in need.choices for file in files)
    fetched = {weights.file: weights_of(weights) for weights in study.fetched.values()}
    sources = {file: _source(file, table) or fetched.get(file) for file in files}
    found = {file: _here(file, sources[file], folder) for file in files}
    asked: dict[Wish, list[Answer]] = defaultdict(list)
    absent = (source for file, source in sources.items() if source and found[file].state == "missing")
    for source, answer in asker(dict.fromkeys(absent)):
        asked[source].append(answer)
    found |= {
        file: _answered(found[file], source, tuple(asked[source]), folder) for file, source in sources.items() if source
    }
    needed = tuple(
        Needed(
            name=need.name,
            choices=tuple(
                Choice(reader=reader, files=tuple(found[file] for file in files)) for reader, files in need.choices
            ),
        )
        for need in wanted
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


def _source(file: str, table: Table) -> Wish | None:
    """Where a file is fetched from; None if it is a person's own."""
    return of_folder(Path(file).name) if file.startswith(f"{FETCHED}/") else row_of(table, file)


def _here(file: str, source: Wish | None, folder: Path) -> File:
    """What lies where a file belongs, or where a person places it; its digest was checked when it was fetched."""
    path = folder / file
    if not isinstance(source, Download):
        strange = not source and not path.exists() and file.startswith(_DOWNLOADED)
        words = "the table of downloads does not list it" if strange else ""
        return File(path=file, state="here" if path.exists() else "missing", words=words)
    for where, state in ((path, "here"), (placed(path), "placed")):
        if where.exists():
            problem = dataclasses.replace(source.wanted, digest=None).problem(where)
            words = f"{where} {problem}" if problem else ""
            return File(path=file, state="wrong" if problem else state, words=words, bytes=where.stat().st_size)
    return File(path=file, state="missing", bytes=source.bytes)


def _answered(file: File, source: Wish, answers: tuple[Answer, ...], folder: Path) -> File:
    alive = next((answer for answer in answers if answer.state == "alive"), None)
    path = folder / file.path
    if alive or file.here:
        return file.model_copy(
            update={"answers": answers} | ({"state": "alive", "bytes": file.bytes or alive.bytes} if alive else {})
        )
    return file.model_copy(update={"answers": answers, "by_hand": _by_hand(source, path)})


def _by_hand(source: Wish, path: Path) -> ByHand:
    if isinstance(source, HubDataset):
        page = hub.page(f"{hub.SCHEME}datasets/{source.repository}")
        way = f"all that is there: hf download {source.repository} --repo-type dataset --local-dir {path}"
        return ByHand(pages=(page,), licence="see page", folder=str(path), what=way)
    where = placed(path)
    return ByHand(
        pages=(page_of(source), *source.elsewhere), licence=source.licence, folder=str(where.parent),
        what=f"{where.name} ({contents_of(source.wanted)})",
    )  # fmt: skip
