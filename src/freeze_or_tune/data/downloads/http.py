"""Downloads over HTTP that survive broken connections. Proxies are taken from the environment (`HTTPS_PROXY`, ...)."""

import itertools
import logging
import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from freeze_or_tune.data.downloads.partial import Partial
from freeze_or_tune.data.downloads.whole import Wanted
from freeze_or_tune.system.errors import UserError

log = logging.getLogger(__name__)

CHUNK = 1 << 18
PASSING = {408, 425, 429}
"""Answers, besides errors of the server (5xx), that another attempt may not get."""


@dataclass(frozen=True)
class Patience:
    """How long to try."""

    pauses: tuple[float, ...] = (1, 4, 16)
    """Seconds before each further attempt; the count starts anew whenever bytes have come."""
    timeout: float = 60
    """Seconds without an answer or a byte after which a connection counts as broken."""
    log_every: float = 60
    """Seconds between lines in the log."""


PATIENCE = Patience()


class Broken(Exception):
    """A failure that another attempt may mend."""

    def __init__(self, words: str, *, connected: bool = True) -> None:
        """Say what happened, and whether anybody had answered."""
        super().__init__(words)
        self.connected = connected


def get(url: str, wanted: Wanted, destination: Path, patience: Patience | None = None) -> None:
    """Put a verified file at `destination`; UserError if `url` does not have it.

    What came before a failure stays in `<destination>.part`, and the next call resumes it.
    """
    partial = Partial(destination)
    problem = ""
    with partial.locked():
        # Twice, because pieces of different versions may have been joined.
        for _ in range(2):
            _transfer(url, wanted, partial, patience or PATIENCE)
            problem = wanted.problem(partial.path)
            if not problem:
                partial.finish()
                return
            log.warning("%s: what came %s; it was removed", url, problem)
            partial.remove()
    raise UserError(
        f"what came {problem}; it was removed. If it stays so, the publisher may have changed the file: compare it "
        f"before you correct {wanted.source}"
    )


def _transfer(url: str, wanted: Wanted, partial: Partial, patience: Patience) -> None:
    """Attempt until all bytes are there."""
    # By hand, not by tenacity, which counts attempts: a line that breaks at each gigabyte still gets there.
    best, failures = partial.size(), 0
    while True:
        try:
            return _attempt(url, wanted, partial, patience)
        except Broken as error:
            failures = 1 if partial.size() > best else failures + 1
            best = max(best, partial.size())
            if failures > len(patience.pauses):
                raise UserError(f"{error} (attempt {failures}, the last)") from None
            log.warning("%s: %s; trying again in %g s", url, error, patience.pauses[failures - 1])
            time.sleep(patience.pauses[failures - 1])


def _attempt(url: str, wanted: Wanted, partial: Partial, patience: Patience) -> None:
    """Ask once for what is missing; Broken if it does not all come, UserError if asking again is of no use."""
    if wanted.size is not None and partial.size() >= wanted.size:
        return  # all of it; or too much, and then its size will be found wrong
    resume = partial.resume(url, wanted.digest is not None)
    with answer(url, resume, patience.timeout) as response:
        offset = partial.size() if resume and response.status_code != 200 else 0
        if response.status_code == 416 and resume:
            if size_of_file(response) == offset:
                return
            if wanted.size is not None:
                raise UserError(f"the server's file has fewer than {wanted.size} bytes")
            partial.remove()
            raise Broken("the server's file is shorter than what had come of it; starting anew")
        _check_status(response)
        if response.status_code == 206 and _start(response) != offset:
            partial.remove()
            raise Broken("the server sent another part of the file than was asked for; starting anew")
        size = size_of_file(response)
        body = chunks(response)
        first = next(body, b"")
        # Before anything that came earlier is thrown away for it.
        if wanted.is_web_page(b"" if offset else first, response.headers.get("Content-Type", "")):
            raise UserError(f"the server sent a web page, often a login or an error page, from {response.url}")
        if None not in (size, wanted.size) and size != wanted.size:
            raise UserError(f"the server's file has {size} bytes, not {wanted.size}")
        if not offset:
            partial.begin(url, _validator(response))
        _append(itertools.chain([first], body), wanted, partial, wanted.size or size, patience.log_every)


def answer(url: str, headers: dict[str, str], timeout: float, method: str = "GET") -> requests.Response:
    """What a server answers, behind its redirects, the body unread; Broken if nobody does, UserError for no address."""
    # A file that is compressed on its way has neither the size nor the ranges of the file.
    headers = {"Accept-Encoding": "identity"} | headers
    try:
        return requests.request(method, url, headers=headers, stream=True, timeout=timeout, allow_redirects=True)
    except (requests.ConnectionError, requests.Timeout) as error:
        reason = getattr(error.args[0] if error.args else error, "reason", error)
        raise Broken(f"no connection: {reason}", connected=isinstance(error, requests.exceptions.SSLError)) from None
    except requests.RequestException as error:
        raise UserError(str(error)) from None


def _check_status(response: requests.Response) -> None:
    code = response.status_code
    if code not in (200, 206):
        passing = code >= 500 or code in PASSING
        raise (Broken if passing else UserError)(f"the server answered {code} {response.reason}")


def size_of_file(response: requests.Response) -> int | None:
    """Bytes of the whole file, as the server says; None if it does not."""
    place = re.fullmatch(r"bytes .*/(\d+)", response.headers.get("Content-Range", ""))
    if place:
        return int(place[1])
    length = response.headers.get("Content-Length", "")
    return int(length) if response.status_code == 200 and length.isdecimal() else None


def _start(response: requests.Response) -> int | None:
    """Offset of the first byte of a part, None if the server does not say it."""
    place = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(place[1]) if place else None


def _validator(response: requests.Response) -> str:
    """What a later request names to get the rest of this very version; a weak ETag cannot."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it comes; Broken if the connection does."""
    # read1 hands out each byte that came before a connection broke; iter_content loses up to a chunk of them. Not
    # decoded: to some servers .tar.gz is a compressed .tar.
    try:
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            yield chunk
    except HTTPError as error:
        raise Broken(str(error.args[0] if error.args else error)) from None


def _append(chunks: Iterable[bytes], wanted: Wanted, partial: Partial, size: int | None, log_every: float) -> None:
    """Append to what has come; Broken if it ends before `size` bytes (None: unknown)."""
    done, logged = partial.size(), time.monotonic()
    bar = tqdm(
        desc=wanted.file, total=size, initial=done, unit="B", unit_scale=True, leave=False,
        disable=not sys.stderr.isatty(),
    )  # fmt: skip
    try:
        with bar, partial.path.open("ab") as file:
            for chunk in chunks:
                file.write(chunk)
                done += len(chunk)
                bar.update(len(chunk))
                if time.monotonic() - logged >= log_every:
                    logged = time.monotonic()
                    log.info("%s: %d of %s bytes", wanted.file, done, size or "unknown")
                if size is not None and done > size:
                    return  # without end, perhaps; its size will be found wrong
    except OSError as error:
        raise UserError(f"cannot write {partial.path}: {error.strerror}") from None
    if size is not None and done < size:
        raise Broken(f"the connection closed after {done} of {size} bytes")
