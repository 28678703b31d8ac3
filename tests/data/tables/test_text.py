"""The text of tables: what a spreadsheet or a person writes is read as it was meant, and what is no table is told."""

import codecs
import csv
import io
import json
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.data.tables import text
from freeze_or_tune.data.tables.text import Text
from freeze_or_tune.system.errors import UserError

from ..conftest import plain

Table = list[list[str]]


def held(data: bytes) -> Text:
    return Text("list.csv", partial(io.BytesIO, data))


def rows(data: bytes, *, header: bool = True) -> list[tuple[int, list[str]]]:
    return list(held(data).rows(header=header))


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).map(str.strip).filter(bool)


@given(
    st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=8),
    st.sampled_from(",;\t|"),
    st.sampled_from([("path", "label"), ("filename", "class"), ("id", "breed"), ("Image ID", "Species")]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_any_table_that_is_written_is_read_as_it_was(
    cells: Table, separator: str, header: tuple[str, str], encoding: str, end: str, quotes: int
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=quotes)  # type: ignore[arg-type]
    writer.writerow(header)
    writer.writerows(cells)
    table = held(file.getvalue().encode(encoding))
    assert table.first == list(header)
    assert [row for _, row in table.rows(header=True)] == cells


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused_in_words(data: bytes) -> None:
    for start in (b"", b"path,label\n", b"{"):
        with suppress(UserError):
            assert all(isinstance(cell, str) for _, row in rows(start + data) for cell in row)


KEY = st.text('abé ,;"{#', min_size=1, max_size=4).map(str.strip).filter(bool)


@given(
    st.lists(
        st.dictionaries(KEY, st.text('abé ,;"{#\n', max_size=8) | st.integers() | st.none()), min_size=1, max_size=5
    )
)
def test_lines_of_json_are_rows(objects: list[dict[str, object]]) -> None:
    lines = [json.dumps(one) for one in objects]
    if not any(objects):
        return
    table = held("\n".join(lines).encode())
    read = [dict(zip(table.first, row, strict=True)) for _, row in table.rows(header=True)]
    for one, row in zip(objects, read, strict=True):
        assert {key: value for key, value in row.items() if value} == {
            key: text for key, value in one.items() if value is not None and (text := str(value).strip())
        }


def test_numbers_stay_as_they_are_written() -> None:
    assert rows(b"path,label\na,01\nb,1.50\n") == [(2, ["a", "01"]), (3, ["b", "1.50"])]
    assert rows(b'{"path": "a", "label": 1.50}\n{"path": "b", "label": 10000000000000000000000}') == [
        (1, ["a", "1.50"]),
        (2, ["b", "10000000000000000000000"]),
    ]


def test_lines_keep_their_numbers_whatever_lies_between() -> None:
    data = b'# made by a camera, 2020\n\npath,label\r\n\r\n"a\nb.png",x\n , \nc.png,y\n'
    assert rows(data) == [(5, ["a\nb.png", "x"]), (8, ["c.png", "y"])]


def test_a_header_behind_a_hash_and_excels_own_hint() -> None:
    assert held(b"#path,label\na,b\n").first == ["#path", "label"]
    hinted = held(b"sep=|\r\npath|label\r\na;b|c\r\n")
    assert (hinted.separator, hinted.first) == ("|", ["path", "label"])
    assert list(hinted.rows(header=True)) == [(3, ["a;b", "c"])]


def test_windows_1252_and_its_names() -> None:
    table = held("path,label\ncafé.png,Kohlmeise – jung\n".encode("cp1252"))
    assert (table.encoding, [row for _, row in table.rows(header=True)]) == (
        "cp1252", [["café.png", "Kohlmeise – jung"]],
    )  # fmt: skip


def test_empty_cells_at_the_end_are_no_cells_and_others_are_an_error() -> None:
    assert rows(b"path,label\na,b,,\n") == [(2, ["a", "b"])]
    with pytest.raises(UserError, match=r"list\.csv, line 3: 3 cells, not 2 as in the first line"):
        rows(b"path,label\na,b\na,b,c\n")


def test_a_space_parts_lists_of_two_words_alone() -> None:
    assert rows(b"images/a.png 0\nimages/b.png 1\n", header=False) == [
        (1, ["images/a.png", "0"]),
        (2, ["images/b.png", "1"]),
    ]
    assert held(b"my cat.png,black cat\nb.png,x\n").separator == ","


def test_a_separator_in_some_cells_does_not_part() -> None:
    assert rows(b"path;label\na,b.png;x\nc.png;y\n") == [(2, ["a,b.png", "x"]), (3, ["c.png", "y"])]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (plain(1), "list.csv is no table of text, it holds bytes of zero"),
        (b"path,label\na\0b.png,x\n", "holds bytes of zero"),
        (codecs.BOM_UTF16_LE + b"\x00\xdc\x00", "its text is damaged"),
        (b'path,label\na.png,x\nb.png,"y\nc.png,z\n', "line 3: a quote that opens there is not closed"),
        (b'path,label\na.png,"x"y\n', "line 2: ',' expected after '\"'"),
        (b"path,label\n" + b'"' + b"a\n" * 100_000, "line 2: field larger than field limit"),
        (b'{"path": "a"}\n[1]\n', "line 2: no object of JSON such as"),
        (b'{"path": "a"}\n{"path": \n', "line 2: no JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "line 1: no JSON"),
    ],
)
def test_what_is_no_table_is_told_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(UserError) as error:
        rows(data)
    assert words in str(error.value)


def test_one_endless_line_and_a_million_columns_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv"
    with path.open("wb") as file:
        file.write(b"path,label\n")
        file.truncate(1 << 33)  # sparse
    with pytest.raises(UserError, match="bytes of zero"):
        list(Text("bomb.csv", partial(path.open, "rb")).rows(header=True))
    for data in (b"a," * 600_000, b"{" + b",".join(b'"%d":1' % i for i in range(10**6)) + b"}"):
        with pytest.raises(UserError, match="line 2: more than 1,048,576 characters"):
            rows(b"\n" + data)
    for data in (b"a," * 20_000, b"{" + b",".join(b'"%d":1' % i for i in range(20_000)) + b"}"):
        with pytest.raises(UserError, match=r"line 2: 20,00\d columns, more than the 10,000"):
            rows(b"\n" + data)


def test_more_lines_than_any_dataset_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MOST_ROWS", 3)
    assert len(rows(b"path,label\n" + b"a,b\n" * 3)) == 3
    with pytest.raises(UserError, match="more than 3 lines"):
        rows(b"path,label\n" + b"a,b\n" * 4)
