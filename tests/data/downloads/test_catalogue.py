import hashlib
from pathlib import Path

import pytest

from freeze_or_tune.data.downloads.catalogue import Download, find, read_downloads
from freeze_or_tune.system.errors import UserError

from ..conftest import DOWNLOADS

DATA = b"a wheel"
HEADER = "dataset,file,url,mirrors,page,bytes,algorithm,digest,licence,seen,elsewhere"
ROW = {
    "dataset": "d",
    "file": "d-1-py3-none-any.whl",
    "url": "pypi:d==1",
    "mirrors": "",
    "page": "",
    "bytes": str(len(DATA)),
    "algorithm": "sha256",
    "digest": hashlib.sha256(DATA).hexdigest(),
    "licence": "MIT",
    "seen": "",
    "elsewhere": "",
}


def table(path: Path, *rows: dict[str, str]) -> Path:
    path.write_text("\n".join([HEADER, *(",".join(row.values()) for row in rows)]))
    return path


def test_the_real_table() -> None:
    table = read_downloads(DOWNLOADS)
    (elpv,) = table["elpv"]
    assert (elpv.url, elpv.bytes, elpv.licence) == ("pypi:elpv-dataset==1.0.0.post1", 90801454, "CC BY-NC-SA 4.0")
    assert {name: len(rows) for name, rows in table.items()} == {
        "caltech256": 1, "sun397": 2, "mit-indoor": 3, "cub200": 1, "coral": 3, "plankton": 9, "ilsvrc2012": 3,
        "caffenet": 3, "efficientnet-lite0": 1, "efficientnet-lite1": 1, "efficientnet-lite2": 1,
        "elpv": 1, "scikit-image": 1,
    }  # fmt: skip
    assert [row.addresses for name in ("coral", "ilsvrc2012") for row in table[name]] == [[]] * 6
    assert {name for name, rows in table.items() if any(row.digest is None for row in rows)} == {"plankton"}


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
        ("url", "ftp://x/y", "the scheme of 'ftp://x/y' is not supported; supported are pypi, https, http"),
        ("url", "pypi:d", "not a complete address"),
        ("url", "pypi:--index-url==1", "not a complete address"),
        ("url", "https://host", "not a complete address; one is like https://<host>/<path>"),
        ("url", "https:///path", "not a complete address"),
        ("url", "", "page is empty, and so is url"),
        ("dataset", "../d", "pattern"),
        ("mirrors", "pypi:d==1 gopher:d", "the scheme of 'gopher:d'"),
        ("file", "../d.whl", "pattern"),
        ("file", ".hidden", "pattern"),
        ("bytes", "many", "valid integer"),
        ("bytes", "0", "greater than 0"),
        ("algorithm", "crc32", "'sha256'"),
        ("digest", "XYZ", "pattern"),
        ("digest", "abc123", "digest has 6 digits, sha256 has 64"),
        ("licence", "", "at least 1 character"),
        ("seen", "alive yesterday o/r#1", "'alive yesterday o/r#1' is not like 'alive 2026-02-27 owner/repository#24'"),
        ("seen", "alive 2026-02-30 o/r#1", "day"),
        ("seen", "alive 2026-02-27 o/r#1; well 2026-02-28 o/r#2", "'well 2026-02-28 o/r#2' is not like"),
        ("elsewhere", "kaggle", "the scheme of 'kaggle'"),
    ],
)
def test_bad_cells_are_named(tmp_path: Path, column: str, value: str, message: str) -> None:
    path = table(tmp_path / "t.csv", ROW, ROW | {column: value})
    with pytest.raises(UserError, match=rf"t\.csv, line 3.*{column}.*{message}|t\.csv, line 3: {message}"):
        read_downloads(path)


def test_a_table_from_before_there_were_sightings(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", ROW | {"seen": "dead 2026-06-25 o/r#1"})
    older = [line.rsplit(",", 2)[0] for line in path.read_text().splitlines()]
    path.write_text("\ufeff" + "\r\n".join(older), encoding="utf-8")
    (row,) = read_downloads(path)["d"]
    assert (row.url, row.seen, row.elsewhere) == ("pypi:d==1", (), ())


def test_the_last_word_on_an_address_counts(tmp_path: Path) -> None:
    gone, back = "dead 2026-06-25 pytorch/vision#9348", "alive 2026-07-01 o/r.x#2"
    rows = read_downloads(
        table(
            tmp_path / "t.csv", ROW | {"seen": gone}, ROW | {"seen": f"{gone}; {back}", "file": "b"},
            ROW | {"seen": gone, "mirrors": "pypi:e==1", "file": "c"},
            ROW | {"url": "", "page": "https://page.org", "file": "d"},
        )
    )["d"]  # fmt: skip
    assert [row.fetchable for row in rows] == [False, True, True, False]
    assert str(rows[1].seen[0]) == "was gone on 2026-06-25 (pytorch/vision#9348)"
    assert rows[1].seen[1].page == "https://github.com/o/r.x/issues/2"


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEADER.replace(",licence", "") + "\n")
    with pytest.raises(UserError, match=f"not '{HEADER}'"):
        read_downloads(tmp_path / "t.csv")


def test_what_is_unknown_may_be_empty(tmp_path: Path) -> None:
    empty = {"url": "", "bytes": "", "digest": "", "page": "https://page.org"}
    row = read_downloads(table(tmp_path / "t.csv", ROW | empty))["d"][0]
    assert (row.url, row.bytes, row.digest, row.addresses) == (None, None, None, [])
    assert (row.wanted.size, row.wanted.digest) == (None, None)
    with pytest.raises(UserError, match=r"t\.csv, line 2: .*mirrors without a url"):
        read_downloads(table(tmp_path / "t.csv", ROW | empty | {"mirrors": "pypi:e==2"}))


def test_a_mistyped_file_lists_what_there_is() -> None:
    rows = {"d": [Download.model_validate(ROW)]}
    assert find(rows, "d", ROW["file"]) == rows["d"][0]
    with pytest.raises(UserError, match=rf"no file x of d; its files are {ROW['file']}"):
        find(rows, "d", "x")
    with pytest.raises(UserError, match="no file x of e; datasets there are d"):
        find(rows, "e", "x")
