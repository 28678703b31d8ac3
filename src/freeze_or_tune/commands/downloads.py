"""`downloads`: where each file of a study is or can be had, before anything is fetched."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freeze_or_tune.commands.options import AsJson, Directory, Studies
from freeze_or_tune.running.studies import study_files
from freeze_or_tune.system.errors import UserError

if TYPE_CHECKING:
    from freeze_or_tune.data.downloads.asking import Wish
    from freeze_or_tune.records.availability import Answer, File, Needed


def downloads(
    study: Studies = None,
    directory: Directory = Path(),
    missing: Annotated[bool, typer.Option("--missing", help="List only what cannot be had.")] = False,
    json: AsJson = False,
) -> None:
    """Which files of others a study needs, and whether they can be had.

    Each address is asked for a header or one byte; nothing is fetched. The exit status is 1 if a dataset or a network
    can be had by no address and no alternative, with how to place it by hand.

    Example: freeze-or-tune downloads --configfile config/paper.yaml
    """
    from freeze_or_tune.data.downloads.catalogue import table_of  # noqa: PLC0415 - --help is not to wait for these
    from freeze_or_tune.planning.availability import look, offline  # noqa: PLC0415
    from freeze_or_tune.study.reading import read_study  # noqa: PLC0415

    studied = read_study(*study_files(study, directory))
    found = look(studied, table_of(studied.downloads), directory, _watched)
    if json:
        print(found.model_dump_json(indent=1))
    elif not found.needed:
        print(f"the study {found.study} needs no files of others")
    elif offline(found):
        raise UserError(
            "no address answered: this machine seems to have no way out; set HTTPS_PROXY, or ask on another one (what "
            f"is here already: {', '.join(_complete(found.needed)) or 'nothing'})"
        )
    else:
        listed = found.missing if missing else found.needed
        print(*(line for needed in listed for line in _lines(needed)), sep="\n")
        print(*_verdict(found.missing), sep="\n")
    raise typer.Exit(int(bool(found.missing)))


def _watched(wanted: "Iterable[Wish]") -> "Iterator[tuple[Wish, Answer]]":
    """The answers, with a bar while somebody waits for them."""
    import sys  # noqa: PLC0415

    from tqdm import tqdm  # noqa: PLC0415

    from freeze_or_tune.data.downloads.asking import addresses, ask_all  # noqa: PLC0415

    asked = list(wanted)
    count = sum(len(addresses(one)) for one in asked)
    yield from tqdm(ask_all(asked), "asking", count, leave=False, disable=not sys.stderr.isatty(), unit="address")


def _complete(needed: Iterable["Needed"]) -> list[str]:
    return [one.name for one in needed if any(all(file.here for file in choice.files) for choice in one.choices)]


def _lines(needed: "Needed") -> Iterator[str]:
    """A dataset or a network, its files and what addresses answered, as lines."""
    yield f"{'' if needed.had else '! '}{needed.name}"
    for number, choice in enumerate(needed.choices):
        if number:
            yield f"  or, read as {choice.reader}:"
        for file in choice.files:
            yield from _of(file)


def _of(file: "File") -> Iterator[str]:
    size = f"{file.bytes / 1e6:,.1f} MB" if file.bytes else "?"
    yield f"  {file.told:<8} {size:>13}  {file.path}" + (f" ({file.words})" if file.words else "")
    for answer in file.answers:
        yield f"{'':26}{answer.address}" + (f": {answer.words}" if answer.words else "")


def _verdict(missing: Sequence["Needed"]) -> Iterator[str]:
    """What cannot be had, and how to place it by hand."""
    if not missing:
        yield "\nall of it is here or can be fetched"
        return
    yield f"\ncannot be had from here: {', '.join(needed.name for needed in missing)}"
    yield "To place by hand, under exactly these names; what has a digest is checked by it:"
    first = [file for needed in missing for file in needed.choices[0].files if not file.had]
    ways: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for way in (file.by_hand for file in first if file.by_hand):
        ways[way.folder, way.licence, *way.pages][way.what] = None
    for (folder, licence, page, *others), files in ways.items():
        yield f"\n{folder}/"
        yield from (f"  {what}" for what in files)
        yield f"  from {page} (licence: {licence})"
        yield from (f"  or, perhaps in another form, {other}" for other in others)
    for path in dict.fromkeys(file.path for file in first if not file.by_hand):
        yield f"\n{path}, which is yours: put it there, or say in the study where it is"
    for needed in missing:
        for choice in needed.choices[1:]:
            yield f"\ninstead of all of {needed.name}: {', '.join(file.path for file in choice.files)}"
