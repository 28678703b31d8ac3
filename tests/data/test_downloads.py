import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from freeze_or_tune.data import downloads
from freeze_or_tune.data.downloads import Download, fetch, read_downloads, verify
from freeze_or_tune.errors import UserError

from .conftest import DOWNLOADS

DATA = b"a wheel"
HEADER = "dataset,file,url,mirrors,bytes,algorithm,digest,licence"
ROW = {
    "dataset": "d",
    "file": "d-1-py3-none-any.whl",
    "url": "pypi:d==1",
    "mirrors": "",
    "bytes": str(len(DATA)),
    "algorithm": "sha256",
    "digest": hashlib.sha256(DATA).hexdigest(),
    "licence": "MIT",
}


def download(**changes: str) -> Download:
    return Download.model_validate(ROW | changes)


def table(path: Path, *rows: dict[str, str]) -> Path:
    path.write_text("\n".join([HEADER, *(",".join(row.values()) for row in rows)]))
    return path


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Addresses that the scheme `pypi` serves during a test; each read is counted in `served["log"]`."""
    answers: dict[str, bytes] = {"log": b""}

    def fetcher(address: str, file: str, destination: Path) -> None:
        answers["log"] += address.encode() + b" "
        if address not in answers:
            raise UserError(f"no {file} at {address}")
        destination.write_bytes(answers[address])

    monkeypatch.setitem(downloads.FETCHERS, "pypi", (downloads.FETCHERS["pypi"][0], fetcher))
    return answers


def test_the_real_table() -> None:
    (elpv,) = read_downloads(DOWNLOADS)["elpv"]
    assert (elpv.url, elpv.bytes, elpv.licence) == ("pypi:elpv-dataset==1.0.0.post1", 90801454, "CC BY-NC-SA 4.0")


def test_rows_are_kept_by_dataset_in_order(tmp_path: Path) -> None:
    rows = read_downloads(
        table(
            tmp_path / "t.csv",
            ROW | {"mirrors": "pypi:e==2  pypi:f==3"},
            ROW | {"dataset": "z"},
            ROW | {"file": "second.zip"},
        )
    )
    assert [row.file for row in rows["d"]] == ["d-1-py3-none-any.whl", "second.zip"]
    assert rows["d"][0].mirrors == ("pypi:e==2", "pypi:f==3")
    assert set(rows) == {"d", "z"}


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("url", "ftp://x/y", "the scheme of 'ftp://x/y' is not supported; supported are pypi"),
        ("url", "pypi:d", "not a complete address"),
        ("url", "pypi:--index-url==1", "not a complete address"),
        ("mirrors", "pypi:d==1 gopher:d", "the scheme of 'gopher:d'"),
        ("file", "../d.whl", "pattern"),
        ("file", ".hidden", "pattern"),
        ("bytes", "many", "valid integer"),
        ("bytes", "0", "greater than 0"),
        ("algorithm", "crc32", "'sha256'"),
        ("digest", "XYZ", "pattern"),
        ("digest", "abc123", "digest has 6 digits, sha256 has 64"),
        ("licence", "", "at least 1 character"),
    ],
)
def test_bad_cells_are_named(tmp_path: Path, column: str, value: str, message: str) -> None:
    path = table(tmp_path / "t.csv", ROW, ROW | {column: value})
    with pytest.raises(UserError, match=rf"t\.csv, line 3.*{column}.*{message}|t\.csv, line 3: {message}"):
        read_downloads(path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEADER.replace(",licence", "") + "\n")
    with pytest.raises(UserError, match=f"not '{HEADER}'"):
        read_downloads(tmp_path / "t.csv")


def test_fetched_and_verified(tmp_path: Path, served: dict[str, bytes]) -> None:
    served["d==1"] = DATA
    fetch(download(), tmp_path / "new" / "d.whl")
    assert (tmp_path / "new" / "d.whl").read_bytes() == DATA
    verify(download(), tmp_path / "new" / "d.whl")


def test_mirrors_are_tried_in_order(tmp_path: Path, served: dict[str, bytes]) -> None:
    served |= {"d==3": DATA, "d==2": DATA[:-1], "d==4": DATA}
    fetch(download(mirrors="pypi:d==2 pypi:d==3 pypi:d==4"), tmp_path / "d.whl")
    assert served["log"] == b"d==1 d==2 d==3 "
    assert [path.name for path in tmp_path.iterdir()] == ["d.whl"]


def test_wrong_bytes_are_removed(tmp_path: Path, served: dict[str, bytes]) -> None:
    served |= {"d==1": DATA[:-1], "d==2": DATA[:-1] + b"L"}
    with pytest.raises(UserError) as error:
        fetch(download(mirrors="pypi:d==2 pypi:d==3"), tmp_path / "d.whl")
    lines = str(error.value).splitlines()
    assert lines[0] == "d-1-py3-none-any.whl could not be fetched:"
    assert "pypi:d==1: what came has 6 bytes, not 7; it was removed" in lines[1]
    assert f"has the sha256 {hashlib.sha256(DATA[:-1] + b'L').hexdigest()}, not {ROW['digest']}" in lines[2]
    assert "pypi:d==3: no d-1-py3-none-any.whl at d==3" in lines[3]
    assert list(tmp_path.iterdir()) == []


def test_a_right_file_is_kept_and_a_wrong_one_replaced(tmp_path: Path, served: dict[str, bytes]) -> None:
    path = tmp_path / "d.whl"
    path.write_bytes(DATA)
    fetch(download(), path)
    assert served["log"] == b""
    path.write_bytes(b"damaged")
    served["d==1"] = DATA
    fetch(download(), path)
    assert path.read_bytes() == DATA


def test_verify_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "d.whl").write_bytes(b"short")
    with pytest.raises(UserError, match=r"d\.whl has 5 bytes, not 7; delete it and run snakemake again"):
        verify(download(), tmp_path / "d.whl")
    with pytest.raises(UserError, match="is not a file"):
        verify(download(), tmp_path / "none.whl")


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha512"])
def test_other_digests(tmp_path: Path, algorithm: str) -> None:
    (tmp_path / "d.whl").write_bytes(DATA)
    verify(download(algorithm=algorithm, digest=hashlib.new(algorithm, DATA).hexdigest()), tmp_path / "d.whl")


def test_what_pip_says_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UserError, match=r"(?s)pip could not download d==1:.*No matching distribution found for d==1$"):
        fetch(download(), tmp_path / "d.whl")
    assert list(tmp_path.iterdir()) == []


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
    fetch(download(**good), tmp_path / "got" / wheel.name)
    assert (tmp_path / "got" / wheel.name).read_bytes() == wheel.read_bytes()
    with pytest.raises(UserError, match=r"pip downloaded tiny_data-1.0-py3-none-any.whl for tiny-data==1.0, not x.whl"):
        fetch(download(**good | {"file": "x.whl"}), tmp_path / "got" / "x.whl")
    assert [path.name for path in (tmp_path / "got").iterdir()] == [wheel.name]


def test_the_real_wheel(elpv: Path) -> None:
    assert elpv.stat().st_size == 90801454
