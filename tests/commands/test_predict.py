import csv
import io
import json
from pathlib import Path

import pytest

from freeze_or_tune.__main__ import main
from freeze_or_tune.stages.model import Model

from ..stages import toy

LABELS = toy.LABELS


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return toy.photos(tmp_path_factory.mktemp("photos"))


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_the_likeliest_are_first(
    option: list[str], model: Path, photos: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(model), *map(str, photos), *option, "--top", "2"]) == 0
    printed = capsys.readouterr().out
    answers = json.loads(printed)
    assert printed == json.dumps(answers, indent=1) + "\n"
    for answer, path, expected in zip(answers, photos, Model.load(model).predict(photos), strict=True):
        assert answer["image"] == str(path)
        assert [(entry["label"], entry["probability"]) for entry in answer["classes"]] == expected.likeliest(2)


def test_one_line_an_image_whatever_its_name(
    model: Path, photos: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(model), *map(str, photos), "--top", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(f"{str(photos[1])!r}: ")


def test_a_table_has_all_labels_and_what_could_not_be_read(
    model: Path, photos: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(model), str(photos[0]), "gone.png", str(photos[1]), "--format", "csv"]) == 1
    printed = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert list(rows[0]) == ["image", "label", "probability", *(f"p_{label}" for label in LABELS), "error"]
    for row, path in ((rows[0], photos[0]), (rows[2], photos[1])):
        (expected,) = Model.load(model).predict(path)
        assert (row["image"], row["label"], row["error"]) == (str(path), expected.label, "")
        assert [float(row[f"p_{label}"]) for label in LABELS] == pytest.approx(list(expected.probabilities.values()))
    assert rows[1]["error"] == "cannot read gone.png: No such file or directory"
    assert {rows[1][name] for name in ("label", "probability", f"p_{LABELS[0]}")} == {""}
    assert printed.err == "error: 1 of 3 images could not be read: gone.png\n"


def test_of_a_folder_all_images_below_it(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("b", "a/deep", ".hidden"):
        (tmp_path / place).mkdir(parents=True)
        toy.photos(tmp_path / place)
    (tmp_path / "b/notes.txt").write_text("no image")
    assert main(["predict", str(model.parent), str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [f"{place}/{name}" for place in ("a/deep", "b") for name in ("a photo.png", "line\nbreak.bmp", "wide.png")]
    expected = [f"{str(tmp_path / name)!r}:" if "\n" in name else f"{tmp_path / name}:" for name in names]
    assert [line.startswith(name) for line, name in zip(lines, expected, strict=True)] == [True] * 6


def test_what_cannot_be_read_is_named_and_is_a_failure(
    model: Path, photos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = tmp_path / "torn.png"
    torn.write_bytes(b"\x89PNG")
    assert main(["predict", str(model), str(torn), str(photos[0]), "gone.png"]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert f"cannot read {torn}: not an image" in printed.err
    assert f"error: 2 of 3 images could not be read: {torn}, gone.png" in printed.err


def test_a_folder_without_images_is_told_before_anything_is_printed(
    model: Path, photos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(model), str(photos[0]), str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"error: {tmp_path} holds no images (PNG JPEG BMP" in printed.err


def test_of_many_that_cannot_be_read_some_are_named(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{number}.png" for number in range(40)]  # more than are classified at once
    assert main(["predict", str(model), *names]) == 1
    assert f"error: 40 of 40 images could not be read: {', '.join(names[:10])} and 30 more" in capsys.readouterr().err
