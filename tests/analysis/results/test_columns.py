"""Malformed experiments.csv: the message names the line and the column."""

import pytest

from freeze_or_tune.__main__ import main
from freeze_or_tune.analysis.results.columns import NAMES
from freeze_or_tune.analysis.results.table import read_results
from freeze_or_tune.analysis.show.plot import figure, table
from freeze_or_tune.system.errors import UserError


@pytest.fixture
def path(collected):
    """Lines 2 to 5: T and F with two runs each."""
    return collected({("a", 10, "T1-7_R8"): [0.5, 0.6], ("a", 10, "F1-7_R8"): [0.5, 0.6]}, {"a": 0.1})


@pytest.mark.parametrize(
    ("row", "column", "value", "problem"),
    [
        (2, "test_accuracy", "0,5", "line 4, test_accuracy: '0,5' is not a number"),
        (2, "test_accuracy", "1.5", r"line 4, test_accuracy: 1.5 is not in \[0, 1\]"),
        (1, "test_accuracy", "nan", r"line 3, test_accuracy: nan is not in \[0, 1\]"),
        (1, "test_accuracy", "", "line 3, test_accuracy: it is empty"),
        (0, "n", "0", r"line 2, n: 0 is not in \[1, inf\]"),
        (0, "n", "ten", "line 2, n: 'ten' is not a whole number"),
        (0, "n", "1.5", "line 2, n: '1.5' is not a whole number"),
        (0, "seconds", "-1", r"line 2, seconds: -1 is not in \[0, inf\]"),
        (0, "seconds", "inf", r"line 2, seconds: inf is not in \[0, inf\]"),
        (0, "data_level", "X", "line 2, data_level: 'X' is not one of L, M, H"),
        (0, "data_level", "", "line 2, data_level: it is empty"),
        (0, "target", "", "line 2, target: it is empty"),
        (3, "scheme", "T1-7R8", "line 5, scheme: 'T1-7R8' is not a scheme"),
        (3, "mode", "T", "line 5, mode: 'T' does not belong to scheme F1-7_R8"),
        (3, "depth", "3", "line 5, depth: 3 does not belong to scheme F1-7_R8"),
        (3, "random_part", "R(6-8)", r"line 5, random_part: 'R\(6-8\)' does not belong"),
        (3, "cosine", "0.2", "line 5, cosine: .*0.2.* is not that of the first line of target 'a'"),
        (3, "cosine", "", "line 5, cosine: .*nan.* is not that of the first line of target 'a'"),
        (3, "distance_level", "H", "line 5, distance_level: 'H' is not that of the first line"),
        (3, "test_images", "100", "line 5, test_images: 100 is not that of the first line of target 'a'"),
        (
            1,
            "settings",
            "x",
            "line 3, settings: 'x' is not that of the first line of target 'a', n 10, scheme 'T1-7_R8'",
        ),
        (0, "data_level", "M", "line 2, data_level: 'M' is not the level of n 10, 'L'"),
        (1, "run", "0", "line 3, target, n, scheme, run: an earlier line has the same values"),
    ],
)
def test_a_malformed_cell_is_named_by_line_and_column(path, edit, row, column, value, problem):
    read_results(path)
    edit(path, row, column, value)
    with pytest.raises(UserError, match=problem) as error:
        read_results(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("damage", ["cell", "column", "bytes", "cells"])
def test_only_the_workflows_own_table_may_be_deleted(path, edit, damage, tmp_path, capsys):
    header, *lines = path.read_text().splitlines()
    if damage == "cell":
        edit(path, 0, "n", "ten")
    elif damage == "column":
        path.write_text(path.read_text().replace("peak_memory_mb", "memory"))
    elif damage == "bytes":
        path.write_bytes(b"a\n\xff\xfe\n")
    else:
        path.write_text("\n".join([header, *(f"{line}," for line in lines)]))
    for command in (["plot", str(path), str(tmp_path / "out")], ["judge", str(path)]):
        assert main(command) == 1
        said = capsys.readouterr().err
        assert str(path) in said
        assert "delete" not in said
        assert "snakemake" not in said
    for make in (figure, table):
        with pytest.raises(UserError, match=r"; delete it and run snakemake again$"):
            make(path, 1, [tmp_path / "1.csv"])


def test_a_level_of_distance_must_be_that_of_the_distance(path):
    path.write_text(path.read_text().replace(",L,L,", ",H,L,"))
    with pytest.raises(UserError, match=r"line 2, distance_level: 'H' is not the level of cosine 0\.1, 'L'"):
        read_results(path)


def test_a_blank_line_counts(path):
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], "", *lines[2:]]))
    with pytest.raises(UserError, match="line 3, study: it is empty"):
        read_results(path)


def test_cells_without_a_column_are_an_error(path):
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *(f"{line}," for line in lines)]))
    with pytest.raises(UserError, match="line 2: it has more cells than the header"):
        read_results(path)


@pytest.mark.parametrize("column", ["mmd", "svm_error", "cnn"])
def test_a_metric_may_be_empty(path, column):
    assert read_results(path)[column].isna().all()


def test_a_missing_column_is_named(path):
    path.write_text(path.read_text().replace("peak_memory_mb", "memory"))
    with pytest.raises(UserError, match="has no column 'peak_memory_mb'"):
        read_results(path)


def test_a_header_alone_is_an_error(path):
    path.write_text(",".join(NAMES) + "\n")
    with pytest.raises(UserError, match="has a header but no rows"):
        read_results(path)


@pytest.mark.parametrize("content", [b"", b'a,b\n1,2\n1,2,3,4\n"', b"a\n\xff\xfe\n"])
def test_what_is_no_table_is_an_error(tmp_path, content):
    path = tmp_path / "experiments.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is not a CSV table"):
        read_results(path)


def test_a_line_cut_short_is_named(path):
    path.write_text(path.read_text()[:-10])
    with pytest.raises(UserError, match="line 5, "):
        read_results(path)


def test_a_file_that_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(UserError, match=r"does not exist; make it with `snakemake .*experiments.csv`"):
        read_results(tmp_path / "experiments.csv")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "line 3, correct: it is empty"),
        ("AAAA", "line 3, correct: it holds 3 bytes, but 200 images need 25"),
        ("A" * 32 + "AA==", "line 3, correct: 0 of 200 images are right, but the accuracy is 0.6"),
    ],
)
def test_what_was_right_must_fit_the_accuracy(path, edit, value, problem):
    edit(path, 1, "correct", value)
    with pytest.raises(UserError, match=problem):
        read_results(path)
