"""Weights from the Hub: whole, in the revision of the first download, or words that say what to do."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from freeze_or_tune.data.downloads.catalogue import find
from freeze_or_tune.data.downloads.hub import revision_of

from .hub import FILE, Hub, Repository, hubbing

NAME = "resnet18.a1_in1k"
REPOSITORY = f"timm/{NAME}"
DATA = b"weights" * 1000
# A process each: the library reads its settings when it is imported. It waits seconds between attempts.
FETCH = f"""
import sys, time
from pathlib import Path
from freeze_or_tune.data.downloads.catalogue import find
from freeze_or_tune.data.downloads.fetching import fetch
from freeze_or_tune.system.errors import UserError
time.sleep = lambda seconds: None
try:
    fetch(find({{}}, "{NAME}", "{FILE}"), Path("downloads/{NAME}/{FILE}"), Path("manual/{NAME}/{FILE}"))
except UserError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hubbing() as hub:
        hub.repositories[REPOSITORY] = Repository(DATA)
        yield hub


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / NAME / FILE


def fetched(folder: Path, hub: Hub, **variables: str) -> str:
    """What is said when the file cannot be fetched; nothing if it was, whatever the library has logged."""
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    settings = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(folder / "home"), "HF_TOKEN": "hf_mine"}
    done = subprocess.run(
        [sys.executable, "-c", FETCH], cwd=folder, env=clean | settings | variables, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.stderr if done.returncode else ""


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir()) if path.parent.exists() else []


def test_a_file_is_fetched_once_with_its_revision_and_digest(hub: Hub, there: Path, tmp_path: Path) -> None:
    left = there.with_name(".hub-of-a-killed-process")
    left.mkdir(parents=True)
    (left / FILE).write_bytes(DATA[:10])
    assert fetched(tmp_path, hub) == ""
    assert there.read_bytes() == DATA
    assert revision_of(there) == 40 * "a"
    assert there.with_name(f"{FILE}.sha256").read_text() == f"{hashlib.sha256(DATA).hexdigest()}  {FILE}\n"
    assert names(there) == [FILE, f"{FILE}.revision", f"{FILE}.sha256"]
    assert not there.stat().st_mode & 0o222
    assert hub.tokens == {"Bearer hf_mine"}
    assert hub.log[0] == f"HEAD /{REPOSITORY}/resolve/main/{FILE}"
    assert [line for line in hub.log if line.startswith("GET")] == [f"GET /lfs/{hashlib.sha256(DATA).hexdigest()}"]
    assert list((tmp_path / "home").rglob("*.safetensors")) == []  # one copy
    asked = len(hub.log)
    assert fetched(tmp_path, hub) == ""
    assert len(hub.log) == asked


@pytest.mark.slow
def test_a_later_download_is_of_the_same_revision(hub: Hub, there: Path, tmp_path: Path) -> None:
    fetched(tmp_path, hub)
    there.unlink()
    hub.log.clear()
    assert fetched(tmp_path, hub) == ""
    assert hub.log[0] == f"HEAD /{REPOSITORY}/resolve/{40 * 'a'}/{FILE}"
    there.unlink()
    hub.repositories[REPOSITORY] = Repository(DATA, revision=40 * "b")
    assert f"{REPOSITORY} has no revision {40 * 'a'} any more" in fetched(tmp_path, hub)
    there.with_name(f"{FILE}.revision").unlink()
    hub.repositories[REPOSITORY] = Repository(DATA[1:], revision=40 * "b")
    said = fetched(tmp_path, hub)
    assert "the Hub's file has the sha256" in said
    assert "of the record of the first download" in said
    assert names(there) == [f"{FILE}.sha256"]
    hub.repositories[REPOSITORY] = Repository(DATA, revision=40 * "b")
    assert fetched(tmp_path, hub) == ""
    assert revision_of(there) == 40 * "b"


WRONG = {
    "no repository": (None, f"there is no {REPOSITORY}, or it is private, and HF_TOKEN gives no access to it"),
    "a gated one": (Repository(DATA, gated=True), "is gated: accept its terms on its page, and set HF_TOKEN"),
    "a web page": (Repository(DATA, page=b"<!DOCTYPE html>".ljust(len(DATA))), "what came is a web page"),
    "other bytes": (Repository(DATA, page=DATA[:-1] + b"!"), "what came has the sha256"),
    "a line that breaks": (Repository(DATA, short=10), "answer broke off"),
    "a server out of order": (Repository(DATA, busy=99), "the Hub could not be asked"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_goes_wrong_is_said_and_leaves_nothing(hub: Hub, there: Path, tmp_path: Path, kind: str) -> None:
    repository, words = WRONG[kind]
    hub.repositories = {REPOSITORY: repository} if repository else {}
    said = fetched(tmp_path, hub)
    assert words in said
    assert f"  visit   {hub.endpoint}/{REPOSITORY} (licence: apache-2.0)\n" in said
    assert f"  file    {FILE} (" in said
    assert f"  folder  manual/{NAME}\n" in said
    assert names(there) == []


@pytest.mark.slow
def test_a_server_that_is_busy_for_a_moment_is_asked_again(hub: Hub, there: Path, tmp_path: Path) -> None:
    hub.repositories[REPOSITORY].busy = 2
    assert fetched(tmp_path, hub) == ""
    assert there.read_bytes() == DATA


@pytest.mark.slow
def test_a_server_that_is_no_hub_is_said(hub: Hub, tmp_path: Path) -> None:
    hub.repositories[REPOSITORY].revision = ""
    assert "what answered is no Hub, perhaps a login page or a proxy" in fetched(tmp_path, hub)


@pytest.mark.slow
def test_without_a_network_what_timm_has_fetched_or_a_person_placed_is_taken(
    hub: Hub, there: Path, tmp_path: Path
) -> None:
    offline = {"HF_HUB_OFFLINE": "1"}
    said = fetched(tmp_path, hub, **offline)
    assert "HF_HUB_OFFLINE" in said
    assert "the Hub could not be asked" in fetched(tmp_path, hub, HF_ENDPOINT="http://127.0.0.1:9")
    kept = tmp_path / "home/hub" / f"models--timm--{NAME}"
    for path, data in {f"snapshots/{40 * 'c'}/{FILE}": DATA, "refs/main": (40 * "c").encode()}.items():
        (kept / path).parent.mkdir(parents=True)
        (kept / path).write_bytes(data)
    assert fetched(tmp_path, hub, **offline) == ""
    assert (there.read_bytes(), revision_of(there)) == (DATA, 40 * "c")
    there.unlink()
    placed = tmp_path / "manual" / NAME / FILE
    placed.parent.mkdir(parents=True)
    placed.write_bytes(b"other")
    assert "of the record of the first download" in fetched(tmp_path, hub, **offline)
    placed.write_bytes(DATA)
    assert fetched(tmp_path, hub, **offline) == ""
    assert there.samefile(placed)
    assert hub.log == []


def test_the_row_of_a_network_is_made_of_its_name() -> None:
    row = find({}, NAME, FILE)
    assert (row.url, row.algorithm, row.digest, row.licence) == (f"hub:{REPOSITORY}", "sha256", None, "apache-2.0")
