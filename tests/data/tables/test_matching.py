"""Which files cells name, wherever the table was made."""

import pytest

from freeze_or_tune.data.tables.matching import Matcher
from freeze_or_tune.system.errors import UserError


class Held:
    """Files, and how often all of them were listed."""

    def __init__(self, *paths: str) -> None:
        self.paths, self.listed = paths, 0

    def holds(self, path: str) -> bool:
        return path in self.paths

    def below(self) -> list[str]:
        self.listed += 1
        return [path for path in self.paths if not path.startswith(("../", "/"))]


def found(cells: list[str], *paths: str, encoding: str = "utf-8-sig") -> tuple[dict[str, str], str]:
    matches = Matcher(Held(*paths), encoding).match(cells, "list.csv")
    return dict(matches.paths), matches.words


def test_as_written_they_are_not_searched_for() -> None:
    held = Held("a/1.png", "b/a/1.png", "a/3.png", "../2.png", "/x/4.png")
    cells = ["a/1.png", "./a/../a/3.png", "../2.png", "/x/4.png", "gone.png"]
    matches = Matcher(held).match(cells, "list.csv")
    assert (matches.words, held.listed) == ("", 0)
    assert matches.paths == dict(zip(cells[:4], ["a/1.png", "a/3.png", "../2.png", "/x/4.png"], strict=True))


def test_one_that_is_gone_is_not_taken_from_elsewhere() -> None:
    assert found(["a/1.png", "a/2.png"], "a/1.png", "old/a/2.png")[0] == {"a/1.png": "a/1.png"}


def test_backslashes_are_slashes_only_where_they_must_be() -> None:
    assert found([r"a\1.png", r"b\2.png"], "a/1.png", r"b\2.png") == (
        {r"a\1.png": "a/1.png", r"b\2.png": r"b\2.png"}, "with backslashes, which are taken for slashes",
    )  # fmt: skip


def test_names_in_windows_1252_may_be_the_files_own_bytes() -> None:
    theirs = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    assert found(["café.png"], theirs, encoding="cp1252")[0] == {"café.png": theirs}
    assert found(["café.png"], "café.png", theirs, encoding="cp1252")[0] == {"café.png": "café.png"}


def test_a_macs_names_have_their_accents_apart() -> None:
    apart = "cafe\u0301.png"
    assert found(["caf\u00e9.png"], apart)[0] == {"caf\u00e9.png": apart}


def test_ids_are_images_without_suffix_in_a_folder_beside() -> None:
    paths, words = found(["0_1", "1.5", "2"], "images/0_1.png", "images/0_1.txt", "images/1.5.jpg", "more/2.tif")
    assert paths == {"0_1": "images/0_1.png", "1.5": "images/1.5.jpg", "2": "more/2.tif"}
    assert words == "found below the table's folder, by names without suffix, '0_1' as 'images/0_1.png'"


def test_paths_of_another_machine_are_found_by_their_ends() -> None:
    cells = ["/home/eva/data/cat/1.png", "/home/eva/data/dog/1.png"]
    paths, words = found(cells, "pets/cat/1.png", "pets/dog/1.png")
    assert list(paths.values()) == ["pets/cat/1.png", "pets/dog/1.png"]
    assert "without the folders '/home/eva/data', with which they begin" in words
    windows = ["C:\\Eva\\cat\\1.png", "C:\\Eva\\dog\\1.png"]
    assert list(found(windows, "cat/1.png", "dog/1.png")[0].values()) == ["cat/1.png", "dog/1.png"]
    # Written from a folder above.
    assert found(["data/1.png", "data/2.png"], "1.png", "2.png")[0] == {"data/1.png": "1.png", "data/2.png": "2.png"}


def test_the_longest_common_end_decides() -> None:
    cells = ["/x/train/1.png", "/x/train/2.png"]
    files = ["train/1.png", "train/2.png", "test/1.png", "test/2.png"]
    assert list(found(cells, *files)[0].values()) == ["train/1.png", "train/2.png"]


def test_one_folder_with_all_of_them_is_meant() -> None:
    cells = ["1.png", "2.png"]
    assert found(cells, "all/1.png", "all/2.png", "some/1.png")[0] == {"1.png": "all/1.png", "2.png": "all/2.png"}


@pytest.mark.parametrize(
    "files", [("a/1.png", "a/2.png", "b/1.png", "b/2.png"), ("a/1.png", "b/1.png", "c/2.png")], ids=["both", "neither"]
)
def test_what_fits_several_is_refused_with_two_of_them(files: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match=r"list\.csv: '1\.png' may be 'a/1\.png' or 'b/1\.png'"):
        found(["1.png", "2.png"], *files)


def test_two_images_of_one_stem_are_refused() -> None:
    with pytest.raises(UserError, match=r"'1' may be 'a/1\.jpg' or 'a/1\.png'"):
        found(["1", "2"], "a/1.jpg", "a/1.png", "a/2.png")


@pytest.mark.parametrize("cell", ["", ".", "..", "/", "\0", "a\0.png", "a" * 5000, "//", "\\", "C:", "\ud800.png"])
def test_odd_paths_name_nothing(cell: str) -> None:
    assert found([cell, "b.png"], "b.png")[0] == {"b.png": "b.png"}
    assert found([cell], "b.png") == ({}, "")
    assert not Matcher(Held("b.png")).found([cell])


def test_nothing_is_found_for_no_cells() -> None:
    assert found([], "b.png") == ({}, "")
    assert not Matcher(Held("b.png")).found([])
