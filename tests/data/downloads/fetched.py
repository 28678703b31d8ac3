"""What the tests of downloads ask of a server, and what must come of it."""

import dataclasses
import hashlib
import random
from pathlib import Path

import pytest

from freeze_or_tune.data.downloads.http import Patience, get
from freeze_or_tune.data.downloads.whole import Wanted
from freeze_or_tune.system.errors import UserError

from .server import Served, Server

DATA = random.Random(0).randbytes(100_000)
PAGE = b"\n<!DOCTYPE html><title>Log in</title>"
QUICK = Patience(pauses=(0.001, 0.001, 0.001), timeout=5)


def wanted(data: bytes = DATA, **changes: object) -> Wanted:
    known = Wanted("f.tar", len(data), "sha256", hashlib.sha256(data).hexdigest())
    return dataclasses.replace(known, **changes)


UNKNOWN = wanted(size=None, digest=None)


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def assert_gets(server: Server, there: Path, served: Served, what: Wanted | None = None) -> list[str | None]:
    """Get the right file and nothing else; the ranges that were asked for."""
    server.served["/f"] = served
    get(server.url("/f"), what or wanted(), there, QUICK)
    assert there.read_bytes() == DATA
    assert names(there) == ["f.tar"]
    return server.ranges("/f")


def assert_fails(server: Server, there: Path, served: Served, message: str, what: Wanted | None = None) -> int:
    """Get an error; the number of requests."""
    server.served["/f"] = served
    with pytest.raises(UserError, match=message):
        get(server.url("/f"), what or wanted(), there, QUICK)
    assert not there.exists()
    return len(server.log)
