"""Whether a file of others is whole: its size, its digest, and that it is no web page."""

import re
from dataclasses import dataclass
from pathlib import Path

from freeze_or_tune.system.errors import SpoiltFile
from freeze_or_tune.system.files import write_text
from freeze_or_tune.system.hashing import digest_of

DIGEST_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
"""Hexadecimal digits of each digest."""


@dataclass(frozen=True)
class Wanted:
    """What a file must be; None where it is not known."""

    file: str
    size: int | None
    """Bytes."""
    algorithm: str
    digest: str | None
    source: str = "config/downloads.csv"
    """Where the digest comes from."""

    def problem(self, path: Path) -> str:
        """How the file at `path` differs, or nothing."""
        if not path.is_file():
            return "is not a file"
        with path.open("rb") as file:
            if self.is_web_page(file.read(1024)):
                return "is a web page, often a login or an error page"
        size = path.stat().st_size
        if not size:
            return "is empty"
        if self.size not in (None, size):
            return f"has {size} bytes, not {self.size}"
        if self.digest is None:
            return ""
        digest = digest_of(path, self.algorithm)
        return "" if digest == self.digest else f"has the {self.algorithm} {digest}, not {self.digest} of {self.source}"

    def is_web_page(self, start: bytes, content_type: str = "") -> bool:
        """Whether a web page came where none is wanted, by its type or its first bytes."""
        if self.file.lower().endswith((".html", ".htm")):
            return False
        first = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        return content_type.lower().startswith("text/html") or first.startswith((b"<!doctype html", b"<html"))


def record_of(destination: Path, algorithm: str) -> Path:
    """Name the file that keeps a digest nobody published; `sha256sum --check` and the like read it.

    It lies beside the download but is no output of a rule, so it outlives a deleted or damaged download.
    """
    return destination.with_name(f"{destination.name}.{algorithm}")


def read_record(record: Path, algorithm: str) -> str | None:
    """Read the digest of the first download, None before there was one; UserError if the record is damaged."""
    if not record.exists():
        return None
    digest = record.read_text(encoding="utf-8", errors="replace").partition(" ")[0]
    if not re.fullmatch(rf"[0-9a-f]{{{DIGEST_LENGTHS[algorithm]}}}", digest):
        which = "it, if you trust the file beside it,"
        raise SpoiltFile(f"{record} does not begin with a {algorithm}", which)
    return digest


def write_record(record: Path, path: Path, algorithm: str) -> None:
    """Record the digest of a first download, to which later ones are held."""
    write_text(record, f"{digest_of(path, algorithm)}  {path.name}\n")
