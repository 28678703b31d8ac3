"""From a row of the table to a file: what a person placed, then each address, then how to get it by hand."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from freeze_or_tune.data.downloads import fetching, http
from freeze_or_tune.data.downloads.catalogue import Download
from freeze_or_tune.data.downloads.fetching import fetch
from freeze_or_tune.data.downloads.whole import Wanted
from freeze_or_tune.system.errors import UserError

from .server import Served, serving

DATA = b"a wheel"
FILE = "d-1-py3-none-any.whl"
ROW = {
    "dataset": "d",
    "file": FILE,
    "url": "pypi:d==1",
    "mirrors": "",
    "page": "https://page.org/d",
    "bytes": str(len(DATA)),
    "algorithm": "sha256",
    "digest": hashlib.sha256(DATA).hexdigest(),
    "licence": "MIT",
}
UNKNOWN = {"bytes": "", "digest": ""}


def download(**changes: str) -> Download:
    return Download.model_validate(ROW | changes)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Addresses that the scheme `pypi` serves during a test; each read is counted in `served["log"]`."""
    answers: dict[str, bytes] = {"log": b""}

    def fetcher(url: str, wanted: Wanted, destination: Path) -> None:
        answers["log"] += url.encode() + b" "
        if url not in answers:
            raise UserError(f"no {wanted.file} at {url}")
        destination.write_bytes(answers[url])

    monkeypatch.setitem(fetching.FETCHERS, "pypi", fetcher)
    return answers


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "d" / FILE


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    (tmp_path / "manual" / "d").mkdir(parents=True)
    return tmp_path / "manual" / "d" / FILE


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def test_mirrors_are_tried_in_order(there: Path, placed: Path, served: dict[str, bytes]) -> None:
    served["pypi:d==3"] = DATA
    fetch(download(mirrors="pypi:d==2 pypi:d==3 pypi:d==4"), there, placed)
    assert served["log"] == b"pypi:d==1 pypi:d==2 pypi:d==3 "
    assert there.read_bytes() == DATA
    assert names(there) == [FILE]
    assert there.stat().st_mode & 0o222 == 0


def test_where_nothing_helps_a_person_is_told_what_to_do(there: Path, placed: Path, served: dict[str, bytes]) -> None:
    (placed.parent / "d (1).whl").touch()
    with pytest.raises(UserError) as error:
        fetch(download(mirrors="pypi:d==2"), there, placed)
    assert str(error.value).splitlines() == [
        f"{FILE} could not be fetched:",
        f"  pypi:d==1: no {FILE} at pypi:d==1",
        f"  pypi:d==2: no {FILE} at pypi:d==2",
        "To place it by hand, on a machine with a browser if need be:",
        "  visit   https://page.org/d (licence: MIT)",
        f"  file    {FILE} (7 bytes, sha256 {ROW['digest']})",
        f"  folder  {placed.parent} (it holds d (1).whl)",
        "Under exactly this name, in this folder; then run snakemake again, which checks it.",
    ]
    assert names(there) == []


def test_what_needs_a_login_says_so_at_once(there: Path, placed: Path) -> None:
    with pytest.raises(UserError, match=rf"(?s){FILE} has to be fetched by a person.*of unknown size, of unknown sha"):
        fetch(download(url="", **UNKNOWN), there, placed)


@pytest.mark.parametrize("url", ["", "pypi:d==1"])
def test_a_placed_file_is_verified_and_linked(there: Path, placed: Path, url: str) -> None:
    placed.write_bytes(DATA)
    fetch(download(url=url), there, placed)
    assert there.samefile(placed)
    assert not there.is_symlink()


def test_a_placed_file_on_another_file_system(there: Path, placed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    shared = placed.parent / "shared"
    shared.write_bytes(DATA)
    shared.chmod(0o644)
    placed.symlink_to("shared")
    fetch(download(), there, placed)
    assert there.readlink() == shared
    assert shared.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DATA[:-1], "has 6 bytes, not 7"),
        (DATA[:-1] + b"L", f"has the sha256 \\w+, not {ROW['digest']} of config/downloads.csv"),
        (b"<html>Please log in", "is a web page, often a login or an error page"),
        (b"", "is empty"),
    ],
)
@pytest.mark.parametrize("where", ["there", "placed"])
def test_a_wrong_file_is_an_error_and_left(
    there: Path, placed: Path, served: dict[str, bytes], where: str, data: bytes, message: str
) -> None:
    path = {"there": there, "placed": placed}[where]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    with pytest.raises(UserError, match=rf"{re.escape(str(path))} {message}\. It was left as it is: put the right"):
        fetch(download(), there, placed)
    assert path.read_bytes() == data
    assert served["log"] == b""


def test_a_right_file_is_kept(there: Path, placed: Path, served: dict[str, bytes]) -> None:
    there.parent.mkdir(parents=True)
    there.write_bytes(DATA)
    fetch(download(), there, placed)
    assert served["log"] == b""


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_an_unknown_digest_is_recorded_and_then_enforced(
    there: Path, placed: Path, served: dict[str, bytes], algorithm: str
) -> None:
    row = download(algorithm=algorithm, **UNKNOWN)
    served["pypi:d==1"] = DATA
    fetch(row, there, placed)
    record = there.with_name(f"{FILE}.{algorithm}")
    assert record.read_text() == f"{hashlib.new(algorithm, DATA).hexdigest()}  {FILE}\n"
    fetch(row, there, placed)
    there.unlink()
    placed.write_bytes(b"another")
    with pytest.raises(
        UserError, match=rf"has the {algorithm} \w+, not \w+ of the record of the first download, .*\.{algorithm}"
    ):
        fetch(row, there, placed)
    record.write_text("damaged")
    with pytest.raises(UserError, match=f"does not begin with a {algorithm}"):
        fetch(row, there, placed)


def test_the_record_is_read_by_sha256sum(there: Path, placed: Path, served: dict[str, bytes]) -> None:
    served["pypi:d==1"] = DATA
    fetch(download(**UNKNOWN), there, placed)
    check = ["sha256sum", "--check", f"{FILE}.sha256"]
    assert subprocess.check_output(check, cwd=there.parent, text=True) == f"{FILE}: OK\n"


def test_the_next_mirror_resumes_and_a_placed_file_ends_it(
    there: Path, placed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "PATIENCE", http.Patience(pauses=(0.001,)))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as server:
        server.served |= {
            "/a": Served(DATA, statuses=[403]),
            "/b": Served(b"<html>moved"),
            "/c": Served(DATA, drops=[3]),
        }
        row = download(url=server.url("/a"), mirrors=f"{server.url('/b')} {server.url('/c')}")
        there.parent.mkdir(parents=True)
        there.with_name(f"{FILE}.part").write_bytes(DATA[:2])
        fetch(row, there, placed)
        assert [(request.path, request.range) for request in server.log] == [
            (path, "bytes=2-") for path in ("/a", "/b", "/c")
        ] + [("/c", "bytes=5-")]
    assert there.read_bytes() == DATA
    there.rename(placed)
    there.with_name(f"{FILE}.part").touch()
    fetch(row, there, placed)
    assert names(there) == [FILE]


@pytest.mark.slow
def test_what_pip_says_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UserError, match=r"(?s)pip could not download d==1:.*No matching distribution found for d==1$"):
        fetching.FETCHERS["pypi"]("pypi:d==1", download().wanted, tmp_path / FILE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_pip_gets_a_wheel_and_another_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "tiny-data"\nversion = "1.0"\n[tool.setuptools]\npackages = []\n'
    )
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", "wheels", "./src"]
    subprocess.run(build, check=True, cwd=tmp_path)
    wheel = tmp_path / "wheels" / "tiny_data-1.0-py3-none-any.whl"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    good = {
        "file": wheel.name,
        "url": "pypi:tiny-data==1.0",
        "bytes": str(wheel.stat().st_size),
        "digest": hashlib.sha256(wheel.read_bytes()).hexdigest(),
    }
    got, nowhere = tmp_path / "got" / wheel.name, tmp_path / "nowhere"
    fetch(download(**good), got, nowhere)
    assert got.read_bytes() == wheel.read_bytes()
    got.unlink()
    with pytest.raises(UserError, match=r"pip downloaded tiny_data-1.0-py3-none-any.whl for tiny-data==1.0, not x.whl"):
        fetch(download(**good | {"file": "x.whl"}), got, nowhere)
    with pytest.raises(UserError, match=r"what came has \d+ bytes, not 1; it was removed"):
        fetch(download(**good | {"bytes": "1"}), got, nowhere)
    assert names(got) == []


@pytest.mark.slow
def test_the_real_wheel(elpv: Path) -> None:
    assert elpv.stat().st_size == 90801454


def test_pip_gets_a_wheel_of_another_system_where_that_is_the_one_that_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "tiny_data-1.0-cp39-cp39-macosx_11_0_arm64.whl"
    (tmp_path / "wheels").mkdir()
    with zipfile.ZipFile(tmp_path / "wheels" / name, "w") as wheel:
        wheel.writestr("tiny_data-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n")
        wheel.writestr("tiny_data-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp39-cp39-macosx_11_0_arm64\n")
        wheel.writestr("tiny_data-1.0.dist-info/RECORD", "")
    data = (tmp_path / "wheels" / name).read_bytes()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    good = {
        "file": name,
        "url": "pypi:tiny-data==1.0",
        "bytes": str(len(data)),
        "digest": hashlib.sha256(data).hexdigest(),
    }
    fetch(download(**good), tmp_path / "got" / name, tmp_path / "nowhere")
    assert (tmp_path / "got" / name).read_bytes() == data
