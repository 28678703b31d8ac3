"""Which column is what: by name, by what it holds, by what its owner says; and what is in doubt is refused."""

import io
from functools import partial

import pytest

from freeze_or_tune.data.tables.columns import NoLabel, Roles, find_roles
from freeze_or_tune.data.tables.matching import Matcher
from freeze_or_tune.data.tables.names import Said
from freeze_or_tune.data.tables.text import Text
from freeze_or_tune.system.errors import UserError

FILES = [f"images/{i}.png" for i in range(6)]


class Held:
    def __init__(self, *paths: str) -> None:
        self.paths = paths

    def holds(self, path: str) -> bool:
        return path in self.paths

    def below(self) -> list[str]:
        return list(self.paths)


def table(*columns: tuple[str, list[str]], header: bool = True) -> str:
    lines = [",".join(cells) for cells in zip(*(cells for _, cells in columns), strict=True)]
    return "\n".join([",".join(name for name, _ in columns), *lines] if header else lines)


def found(text: str, wished: Said | None = None, files: list[str] = FILES, *, guess: bool = True) -> Roles:
    read = Text("list.csv", partial(io.BytesIO, text.encode()))
    return find_roles(read, Matcher(Held(*files)), wished or {}, guess=guess)


def named(text: str, wished: Said | None = None, files: list[str] = FILES) -> dict[str, str]:
    roles = found(text, wished, files)
    meant = {"path": roles.path, "label": roles.label, "split": roles.split, "group": roles.group}
    return {role: roles.names[i] for role, i in meant.items() if i is not None}


def refused(text: str, wished: Said | None = None, files: list[str] = FILES) -> str:
    with pytest.raises(UserError) as error:
        found(text, wished, files)
    return str(error.value)


LABELS = list("aabbab")
NUMBERS = list("012345")
SPLITS = ["train", "train", "val", "test", "", "train"]


@pytest.mark.parametrize("path", ["path", "Filename", "file_name", "IMAGE_PATH", "image", "Image ID", "imageId", "id"])
@pytest.mark.parametrize("label", ["label", "Class", "class_name", "category", "target", "species", "breed", "dx", "y"])
def test_columns_are_known_by_their_names(path: str, label: str) -> None:
    assert named(table((label, LABELS), ("age", NUMBERS), (path, FILES))) == {"path": path, "label": label}


@pytest.mark.parametrize("split", ["split", "Subset", "set", "partition"])
@pytest.mark.parametrize(
    "group", ["group", "patient", "Patient_ID", "subject", "specimen", "site", "camera", "video_id"]
)
def test_split_and_group_are_known_by_their_names(split: str, group: str) -> None:
    text = table(("path", FILES), ("label", LABELS), (split, SPLITS), (group, NUMBERS))
    assert named(text) == {"path": "path", "label": "label", "split": split, "group": group}


def test_y_is_a_coordinate_beside_a_label() -> None:
    text = table(("path", FILES), ("x", NUMBERS), ("y", NUMBERS), ("label", LABELS))
    assert named(text) == {"path": "path", "label": "label"}


def test_of_several_names_the_plainest_whose_files_are_there_is_the_path() -> None:
    text = table(("id", NUMBERS), ("file_name", FILES), ("label", LABELS))
    assert named(text)["path"] == "file_name"
    text = table(("id", ["7", "8", "9", "10", "11", "12"]), ("where", FILES), ("label", LABELS))
    assert named(text)["path"] == "where"
    text = table(("filename", NUMBERS), ("image_path", FILES), ("label", LABELS))
    assert named(text)["path"] == "image_path"  # as it is written; the others are found by search


def test_names_of_no_meaning_are_known_by_what_they_hold() -> None:
    text = table(("what", LABELS), ("count", NUMBERS), ("foto", FILES), ("phase", SPLITS))
    assert named(text) == {"path": "foto", "label": "what", "split": "phase"}
    assert named(table(("nr", NUMBERS), ("art", LABELS)))["path"] == "nr"  # images/0.png and so on


def test_the_index_of_pandas_is_no_column() -> None:
    text = table(("", NUMBERS), ("foto", FILES), ("art", LABELS))
    assert named(text) == {"path": "foto", "label": "art"}
    assert named(text.replace(",foto", "Unnamed: 0,foto", 1)) == {"path": "foto", "label": "art"}


def test_a_classs_number_and_its_name_are_one_label() -> None:
    text = table(("path", FILES), ("label", list("001101")), ("class_name", LABELS))
    assert named(text)["label"] == "class_name"
    unlike = table(("path", FILES), ("label", list("011101")), ("class_name", LABELS))
    assert "'label', 'class_name' may each be the label" in refused(unlike)


@pytest.mark.parametrize("first", ["images/0.png", "images/gone.png", "0"])
def test_without_a_header_the_first_line_is_a_row(first: str) -> None:
    text = table(("", [first, *FILES[1:]]), ("", LABELS), header=False)
    roles = found(text)
    assert (roles.header, roles.path, roles.label) == (False, 0, 1)
    assert str(roles) == "'column 1' is the file, 'column 2' is the label"


def test_what_is_taken_for_what_is_said_unless_it_is_a_matter_of_course() -> None:
    assert str(found(table(("path", FILES), ("label", LABELS)))) == ""
    text = table(("id", NUMBERS), ("breed", LABELS), ("age", list("765432")), ("set", SPLITS))
    assert str(found(text)) == "'id' is the file, 'breed' is the label, 'set' is the split; not used: 'age'"


def test_the_owner_has_the_last_word() -> None:
    text = table(("path", NUMBERS), ("label", LABELS), ("split", NUMBERS), ("f", FILES), ("kind", list("xxyyxy")))
    wished: Said = {"path": "f", "label": "Kind", "split": None, "group": "label"}
    assert named(text, wished) == {"path": "f", "label": "kind", "group": "label"}
    headless = table(("", NUMBERS), ("", LABELS), ("", FILES), ("", list("xxyyxy")), header=False)
    roles = found(headless, {"path": 3, "label": 4})
    assert (roles.header, roles.path, roles.label) == (False, 2, 3)


@pytest.mark.parametrize(
    ("wished", "words"),
    [
        ({"path": "foto"}, "the study says that its path is 'foto', but no columns are"),
        ({"label": 7}, "the study says that column 7 is its label, but it has 2"),
    ],
)
def test_what_the_owner_says_must_be_there(wished: Said, words: str) -> None:
    assert words in refused(table(("path", FILES), ("label", LABELS)), wished)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "list.csv is empty; expected is a first line such as path,label"),
        ("path\nimages/0.png\n", "no column is called as the label"),
        ("a,b\nx,p\ny,q\n", "no column is called as, or holds, the files"),
        (table(("file", FILES), ("path", FILES), ("label", LABELS)), "'file', 'path' each name files"),
        (table(("foto", FILES), ("copy", FILES), ("label", LABELS)), "'foto', 'copy' each name files"),
        (table(("path", FILES), ("x", LABELS), ("z", LABELS)), "'x', 'z' may each be the label"),
        (table(("path", FILES), ("x", NUMBERS), ("z", NUMBERS)), "no column is called as, or can be, the label"),
        (table(("path", FILES), ("cat", list("110100")), ("dog", list("001011"))), "'cat', 'dog' hold 0 and 1 each"),
        (
            table(("path", FILES), ("label", LABELS), ("patient", NUMBERS), ("site", LABELS)),
            "'patient', 'site' may each be the group",
        ),
        (table(("path", FILES), ("label", LABELS), ("p", SPLITS), ("q", SPLITS)), "'p', 'q' may each be the split"),
    ],
)
def test_what_is_in_doubt_is_refused_with_the_header_and_the_way_out(text: str, words: str) -> None:
    error = refused(text)
    assert words in error
    if text:
        first = ", ".join(map(repr, text.partition("\n")[0].split(",")))
        assert f"its first line is {first}, expected is a first line such as path,label" in error
        assert "images='{path: ..., columns: {path: ..., label: ...}}'" in error


def test_a_label_is_not_guessed_where_there_is_another_source_of_labels() -> None:
    text = table(("file_name", FILES), ("width", list("889988")))
    assert found(text).label == 1
    with pytest.raises(NoLabel, match="no column is called as the label"):
        found(text, guess=False)
