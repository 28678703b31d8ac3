"""What a table says of its files, line by line; and labels that are none."""

import io
from functools import partial

import pytest

from freeze_or_tune.data.tables.names import Said
from freeze_or_tune.data.tables.table import Entry, Table, read_table
from freeze_or_tune.data.tables.text import Text
from freeze_or_tune.system.errors import UserError


class All:
    """Whatever is asked for is there."""

    def holds(self, path: str) -> bool:
        return path.endswith(".png") and "gone" not in path

    def below(self) -> list[str]:
        return []


def read(text: str, wished: Said | None = None) -> Table:
    return read_table(Text("list.csv", partial(io.BytesIO, text.encode("utf-8", "surrogatepass"))), All(), wished)


def refused(text: str) -> str:
    with pytest.raises(UserError) as error:
        read(text)
    return str(error.value)


def said(table: Table) -> dict[str, tuple[str, ...]]:
    return {finding.words: finding.examples for finding in table.findings}


def lines(*labels: str) -> str:
    return "\n".join(["path,label", *(f'{i}.png,"{label}"' for i, label in enumerate(labels))])


def test_each_line_is_an_entry_with_its_number() -> None:
    text = "path,label,split,patient\na.png,cat,Training,7\n\nb.png,dog,VALID,\nc.png,01,,08\ngone.png,dog,testing,x\n"
    table = read(text)
    assert table.entries == {
        "a.png": Entry(2, "cat", "train", "7"),
        "b.png": Entry(4, "dog", "val", ""),
        "c.png": Entry(5, "01", "", "08"),
    }
    assert table.missing == ("gone.png",)


@pytest.mark.parametrize(
    ("word", "subset"),
    [("train", "train"), ("TRAINING", "train"), ("dev", "val"), ("Validation", "val"), ("Test", "test"), ("", "")],
)
def test_words_for_subsets(word: str, subset: str) -> None:
    assert read(f"path,label,split\na.png,x,{word}\n").entries["a.png"].subset == subset


def test_another_word_for_a_split_is_refused_with_the_way_out() -> None:
    error = refused("path,label,split\na.png,x,3\n")
    assert "line 2: the column 'split' holds '3', but a split is train, val or test" in error
    assert "columns: {split: null}" in error
    assert read("path,label,split\na.png,x,3\n", {"split": None}).entries == {"a.png": Entry(2, "x")}
    assert read("path,label,fold\na.png,x,3\n").entries == {"a.png": Entry(2, "x")}


def test_lines_without_a_label_or_a_file_are_left_out_and_counted() -> None:
    table = read("path,label\na.png,x\nb.png,\n,y\nc.png,y\n")
    assert list(table.entries) == ["a.png", "c.png"]
    assert said(table) == {
        "Images without a label in list.csv; they are left out": ("'b.png'",),
        "Lines of list.csv that name no file; they are left out": ("'line 4'",),
    }


def test_a_line_that_says_the_same_again_counts_once() -> None:
    table = read("path,label\na.png,x\nb.png,y\na.png,x\n./b.png,y\n")
    assert [entry.line for entry in table.entries.values()] == [2, 3]
    words = "Lines of list.csv that say again what another one says; they count once"
    assert said(table) == {words: ("'./b.png'", "'a.png'")}


@pytest.mark.parametrize("again", ["a.png", "./a.png"])
def test_another_label_of_the_same_file_is_refused(again: str) -> None:
    error = refused(f"path,label\na.png,x\nb.png,y\n{again},y\n")
    assert f"line 4: {again!r} has another label than before: 'y', in line 2 'x'" in error
    assert "a picture with several labels cannot be learnt here" in error


def test_another_split_of_the_same_file_is_refused() -> None:
    assert "line 3: 'a.png' has another split or group than in line 2" in refused(
        "path,label,split\na.png,x,train\na.png,x,test\n"
    )


@pytest.mark.parametrize(
    "labels",
    [
        ["cat;dog", "cat", "dog"],
        ["cat|dog", "dog|bird", "bird"],
        ["['cat', 'dog']", "['cat']"],
        ["{cat,dog}", "cat"],
    ],
)
def test_several_labels_a_picture_are_refused(labels: list[str]) -> None:
    assert "is several labels, and a picture with several cannot be learnt here" in refused(lines(*labels))


def test_lists_of_json_are_several_labels() -> None:
    assert "several labels" in refused('{"path": "a.png", "label": ["x", "y"]}\n{"path": "b.png", "label": ["x"]}')


def test_signs_in_a_name_are_no_several_labels() -> None:
    names = ["tench, Tinca tinca", "maillot", "maillot, tank suit", "a;b", "red fox", "C|D", "x (young)"]
    assert [entry.label for entry in read(lines(*names)).entries.values()] == names


def test_measures_and_names_of_single_images_are_no_classes() -> None:
    assert "12 different labels for 12 images, such as '0.5', '1.5', '2.5'" in refused(
        lines(*(f"{i}.5" for i in range(12)))
    )
    assert "10 different labels for 12 images" in refused(lines(*(f"{i}.5" for i in range(10)), "0.5", "1.5"))
    assert "12 different labels for 12 images" in refused(lines(*map(str, range(12))))
    assert len(read(lines(*(f"species {i}" for i in range(10)), "species 0", "species 1")).entries) == 12


def test_addresses_are_no_files() -> None:
    error = refused("path,label\na.png,x\nhttps://example.org/b.png,y\n")
    assert "line 3: 'https://example.org/b.png' is an address of the network; download the files" in error


def test_a_row_that_ends_before_its_label() -> None:
    assert "line 3: 1 cells, not 2 ('path', 'label')" in refused("path,label\na.png,x\nb.png\n")
    assert list(read("path,label,note\na.png,x,first\nb.png,y\n").entries) == ["a.png", "b.png"]


@pytest.mark.parametrize("label", [r"\u0000", r"\ud800"])
def test_a_label_that_cannot_be_written_down_is_refused(label: str) -> None:
    error = refused(f'{{"path": "a.png", "label": "{label}"}}')
    assert "line 1: " in error
    assert "are no text" in error


def test_windows_1252_is_said() -> None:
    table = read_table(Text("list.csv", partial(io.BytesIO, "path,label\na.png,grün\n".encode("cp1252"))), All())
    assert table.entries["a.png"].label == "grün"
    assert "list.csv is read as Windows-1252, for it is not UTF-8; lines" in said(table)
