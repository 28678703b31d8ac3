"""The table of files of others (`config/downloads.csv`): where they come from, and what they must be."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from freeze_or_tune.data.downloads.sightings import Sighting
from freeze_or_tune.data.downloads.whole import DIGEST_LENGTHS, Wanted
from freeze_or_tune.study import named
from freeze_or_tune.system.csv_files import read_table
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.hashing import digest_of
from freeze_or_tune.system.shipped import shipped

_TABLE = "config/downloads.csv"
_WEB = r"//[A-Za-z0-9.-]+(:[0-9]+)?/\S+"
SCHEMES = {
    "pypi": (r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*", "pypi:<name>==<version>"),
    "https": (_WEB, "https://<host>/<path>"),
    "http": (_WEB, "http://<host>/<path>"),
    "hub": (r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*", "hub:<owner>/<repository>"),
}
"""By scheme: what follows it in an address, and an address in words."""


def _url(text: str) -> str:
    scheme, _, address = text.partition(":")
    if scheme not in SCHEMES:
        raise ValueError(f"the scheme of {text!r} is not supported; supported are {', '.join(SCHEMES)}")
    pattern, example = SCHEMES[scheme]
    if not re.fullmatch(pattern, address):
        raise ValueError(f"{text!r} is not a complete address; one is like {example}")
    return text


NAME = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"


def _words(value: object) -> object:
    return value.split() if isinstance(value, str) else value


def _none(value: object) -> object:
    return None if value == "" else value


def _sightings(value: object) -> object:
    return [Sighting.parse(text) for text in value.split(";") if text.strip()] if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(_url)]
Unknown = BeforeValidator(_none)


class Download(BaseModel):
    """One row of `config/downloads.csv`; `bytes` and `digest` are None where nobody has published them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(pattern=NAME)
    file: str = Field(pattern=NAME)
    url: Annotated[Url | None, Unknown] = None
    mirrors: Annotated[tuple[Url, ...], BeforeValidator(_words)] = ()
    page: str
    bytes: Annotated[PositiveInt | None, Unknown]
    algorithm: Literal["md5", "sha1", "sha256", "sha512"]
    digest: Annotated[Annotated[str, Field(pattern=r"^[0-9a-f]+$")] | None, Unknown]
    licence: str = Field(min_length=1)
    seen: Annotated[tuple[Sighting, ...], BeforeValidator(_sightings)] = ()
    """Who has said that its address answers, or does not, the last word at the end."""
    elsewhere: Annotated[tuple[Url, ...], BeforeValidator(_words)] = ()
    """Pages with the same images under other names or in another form."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        wanted = DIGEST_LENGTHS[self.algorithm]
        if self.digest is not None and len(self.digest) != wanted:
            raise ValueError(f"digest has {len(self.digest)} digits, {self.algorithm} has {wanted}")
        if self.url is None and self.mirrors:
            raise ValueError("mirrors without a url; the first address is the url")
        if self.url is None and not self.page:
            raise ValueError("page is empty, and so is url: where is the file to be got?")
        return self

    @property
    def addresses(self) -> list[str]:
        """Where a program may get it, in order; empty if only a person can."""
        return [self.url, *self.mirrors] if self.url else []

    @property
    def fetchable(self) -> bool:
        """Whether a program may get it, as far as is known without asking: it has an address, and none said dead."""
        return bool(self.url) and (bool(self.mirrors) or not self.seen or self.seen[-1].state == "alive")

    @property
    def wanted(self) -> Wanted:
        """What the file must be."""
        return Wanted(self.file, self.bytes, self.algorithm, self.digest)


COLUMNS = tuple(Download.model_fields)
_OLDER = COLUMNS[: COLUMNS.index("seen")]
"""Of tables of their owners', written before there were the others."""


def read_downloads(path: Path) -> dict[str, list[Download]]:
    """Read the table, by dataset; UserError names the line and the column that is wrong."""
    table: dict[str, list[Download]] = defaultdict(list)
    columns = _OLDER if _header(path) == _OLDER else COLUMNS
    for line, cells in read_table(path, columns):
        try:
            download = Download.model_validate(dict(zip(columns, cells, strict=True)))
        except ValidationError as error:
            problem = error.errors()[0]
            column = f", column {problem['loc'][0]}" if problem["loc"] else ""
            raise UserError(f"{path}, line {line}{column}: {problem['msg'].removeprefix('Value error, ')}") from None
        table[download.dataset].append(download)
    return dict(table)


def _header(path: Path) -> tuple[str, ...]:
    """The names of a table's columns; none if it cannot be read, which its reader says."""
    try:
        return tuple(path.read_text(encoding="utf-8-sig", errors="replace").partition("\n")[0].strip().split(","))
    except OSError:
        return ()


def table_of(table: str | None) -> dict[str, list[Download]]:
    """A table by dataset; None: this folder's, else the one that ships."""
    own = Path(table or _TABLE)
    return read_downloads(own if table or own.exists() else shipped(_TABLE))


def all_downloads(table: str | None) -> list[Download]:
    """The rows of the same."""
    return [row for rows in table_of(table).values() for row in rows]


def find(table: dict[str, list[Download]], dataset: str, file: str) -> Download:
    """Look up a row, or that of a network's weights; UserError lists the files of that dataset, or the datasets."""
    rows = {row.file: row for row in table.get(dataset, [])}
    network = named.table().get(dataset) if not rows and file == named.WEIGHTS else None
    if network is not None:
        return weights_of(network)
    if file not in rows:
        there = f"its files are {', '.join(rows)}" if rows else f"datasets there are {', '.join(table)}"
        raise UserError(f"config/downloads.csv has no file {file} of {dataset}; {there}")
    return rows[file]


def weights_of(network: named.Named) -> Download:
    """The row, which no table lists, of a network's weights on the Hub: their digest is known when they have come."""
    return Download(
        dataset=network.name, file=named.WEIGHTS, url=f"hub:{network.repository}", page="",
        bytes=None, algorithm="sha256", digest=None, licence=network.licence,
    )  # fmt: skip


def recognise(table: dict[str, list[Download]], path: Path) -> Download | None:
    """The row that a file is by name and digest, wherever it lies; None if it is no file of the table.

    A network's weights are known by their place.
    """
    network = named.table().get(path.parent.name) if path.name == named.WEIGHTS else None
    if network is not None and path.parts[-3:-2] == ("downloads",):
        return weights_of(network)
    rows = (row for rows in table.values() for row in rows if row.file == path.name and row.digest)
    return next((row for row in rows if row.digest == digest_of(path, row.algorithm)), None)
