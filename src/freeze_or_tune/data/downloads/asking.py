"""Whether the addresses of files of others answer, asked without fetching anything: a header, or one byte."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from freeze_or_tune.data.downloads import http, hub, hub_datasets
from freeze_or_tune.data.downloads.catalogue import Download
from freeze_or_tune.data.downloads.fetching import wheel_for
from freeze_or_tune.data.downloads.whole import Wanted
from freeze_or_tune.records.availability import Answer, State
from freeze_or_tune.study.hub import HubDataset
from freeze_or_tune.system.errors import UserError

QUICK = http.Patience(pauses=(1, 4), timeout=20)
"""Somebody waits for the answer; a file is worth more patience."""
_THREADS = 8
_LOGIN = {401, 403, 407, 511}
_START = 1024

Wish = Download | HubDataset
"""A row of the table, or a dataset of the Hub."""
Found = tuple[State, str, int | None]
"""What an address has, in words, too, and its bytes if they are known."""


def ask_all(wanted: Iterable[Wish], patience: http.Patience = QUICK) -> Iterator[tuple[Wish, Answer]]:
    """The answers of all addresses, in the order of what is wanted, each as soon as those before it are there."""
    pairs = [(one, url) for one in wanted for url in addresses(one)]
    with ThreadPoolExecutor(_THREADS) as threads:
        yield from zip(
            (one for one, _ in pairs), threads.map(lambda pair: ask(pair[0], pair[1], patience), pairs), strict=True
        )


def addresses(wanted: Wish) -> list[str]:
    """Where a program may get it, in order."""
    return [wanted.address] if isinstance(wanted, HubDataset) else wanted.addresses


def ask(row: Wish, url: str, patience: http.Patience = QUICK) -> Answer:
    """What one address answers."""
    if isinstance(row, HubDataset):
        return Answer(address=url, **dict(zip(("state", "words", "bytes"), hub_datasets.ask(row), strict=True)))
    state, words, size = _ASKERS[url.partition(":")[0]](url, row.wanted, patience)
    if state == "alive" and size is not None and row.bytes not in (None, size):
        state, words = "size", f"its file has {size:,} bytes, not {row.bytes:,}"
    return Answer(address=url, state=state, words=words, bytes=size)


def _http(url: str, wanted: Wanted, patience: http.Patience) -> Found:
    """By a HEAD; where the answer to that is not plainly the file, by a GET of one byte, whose answer counts."""
    found: Found = ("silent", "", None)
    for pause in (0, *patience.pauses):
        time.sleep(pause)
        try:
            found = _once(url, wanted, patience.timeout, "HEAD")
            if found[0] != "alive" or found[2] not in (None, wanted.size or found[2]):
                found = _once(url, wanted, patience.timeout, "GET")
            break
        except http.Broken as error:
            found = ("dead" if error.connected else "silent"), str(error), None
        except UserError as error:
            return "dead", str(error), None
    return found


def _once(url: str, wanted: Wanted, timeout: float, method: Literal["HEAD", "GET"]) -> Found:
    """One request; Broken if another may have more luck."""
    asked = {"Range": "bytes=0-0"} if method == "GET" else {}
    with http.answer(url, asked, timeout, method) as response:
        code = response.status_code
        said = f"the server answered {code} {response.reason}"
        if code in _LOGIN:
            return "login", said, None
        if code not in (200, 206):
            if method == "GET" and (code >= 500 or code in http.PASSING):
                raise http.Broken(said)
            return "dead", said, None
        start = next(http.chunks(response), b"")[:_START] if method == "GET" else b""
        if wanted.is_web_page(start, response.headers.get("Content-Type", "")):
            return "page", f"a web page comes in its place, often a login or an error, from {response.url}", None
        return "alive", "", http.size_of_file(response)


def _pypi(url: str, wanted: Wanted, _patience: http.Patience) -> Found:
    """By pip, with the index and the proxy that it is set up for; it tells no size."""
    name, _, version = url.removeprefix("pypi:").partition("==")
    options = ["--pre", "--only-binary=:all:", *wheel_for(wanted.file)]
    command = [sys.executable, "-m", "pip", "index", "versions", *options, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        return ("silent" if "Retrying" in done.stderr else "dead"), last.removeprefix("ERROR: "), None
    versions = done.stdout.partition("Available versions: ")[2].partition("\n")[0].split(", ")
    return ("alive", "", None) if version in versions else ("dead", f"the index has no version {version} of it", None)


def _hub(url: str, wanted: Wanted, _patience: http.Patience) -> Found:
    return hub.ask(url, wanted.file)


_ASKERS: dict[str, Callable[[str, Wanted, http.Patience], Found]] = {
    "pypi": _pypi, "https": _http, "http": _http, "hub": _hub,
}  # fmt: skip
"""By the scheme of an address."""
