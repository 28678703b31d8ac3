from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.running.own import Own, name_for
from freeze_or_tune.running.studies import study_files
from freeze_or_tune.running.workflow import Run
from freeze_or_tune.study.images import OwnImages, own_images
from freeze_or_tune.system.errors import UserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("photos", "digits"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own(images: str, **given: object) -> Own:
    return Own(images, study_files(None), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "called"),
    [("Vögel 2024", "Vogel-2024"), ("v1.2", "v1.2"), ("鳥", "images"), ("-- odd --", "odd"), ("a/../b", "b")],
)
def test_a_folder_gives_its_name(tmp_path: Path, name: str, called: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / name).mkdir(exist_ok=True)
    assert name_for(tmp_path / name) == called


def test_an_archive_gives_its_name_without_what_it_ends_with(tmp_path: Path) -> None:
    (tmp_path / "my birds.tar.gz").touch()
    assert name_for(tmp_path / "my birds.tar.gz") == "my-birds"


@given(st.text(min_size=1, max_size=20))
def test_any_name_becomes_one_that_a_study_takes(text: str) -> None:
    name = name_for(Path("/") / text.replace("\0", "").replace("/", ""))
    assert own_images(name, OwnImages(path=".")).path == "."


def test_results_lie_under_the_name(folder: Path) -> None:
    assert own("photos").folder == Path("results/advice/photos")
    assert own("photos", name="birds").folder == Path("results/advice/birds")


def test_a_folder_of_a_dataset_s_name_is_not_taken_for_the_dataset(folder: Path) -> None:
    """By that name the workflow would look at the study's own images."""
    assert own("digits").called == "my-digits"
    with pytest.raises(UserError, match="the study has a dataset digits; give your images another --name"):
        _ = own("photos", name="digits").called


def test_a_dataset_of_the_study_is_asked_about_by_its_name(folder: Path) -> None:
    assert (own("greek").path, own("greek").called) == (None, "greek")


def test_paths_are_seen_from_where_the_workflow_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own("photos").path == Path("photos")
    assert own("photos", directory=Path("elsewhere")).path == folder / "photos"
    monkeypatch.setenv("HOME", str(folder))
    assert own("~/photos").path == folder / "photos"


def test_a_dataset_of_the_hub_keeps_its_address_and_gives_its_name(folder: Path) -> None:
    asked = own("hf://datasets/me/birds@v1/en", directory=Path("elsewhere"))
    assert (asked.path, asked.called) == ("hf://me/birds@v1/en", "birds-en")
    assert own("hf://me/digits").called == "my-digits"
    with pytest.raises(UserError, match="'hf://birds' is no dataset of the Hugging Face Hub"):
        _ = own("hf://birds").path


def test_the_command_to_go_on_with_asks_the_same(folder: Path) -> None:
    assert own("photos").command("model") == "freeze-or-tune model photos"
    asked = Own("my photos", ["a.yaml"], "birds", "resnet18", 2.5, Path("there"))
    assert asked.command("model") == (
        "freeze-or-tune model 'my photos' --name birds --network resnet18 --budget 2.5 --directory there --study a.yaml"
    )


def test_how_images_are_read_is_asked_again_and_passed_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Run] = []
    monkeypatch.setattr("freeze_or_tune.running.own.run_workflow", lambda run, *_: runs.append(run))
    asked = own("photos", follow_links=True, orientation="stored", range=(0.0, 4095.0))
    assert asked.command("model") == ("freeze-or-tune model photos --follow-links --orientation stored --range 0,4095")
    asked.model()
    own("photos").model()
    first, second = runs
    reading = {"follow_links": True, "orientation": "stored", "range": (0.0, 4095.0)}
    assert (first.config["images"], second.config["images"]) == ({"path": "photos", **reading}, "photos")
    (word,) = (word for word in first.command() if word.startswith("images="))
    given = OwnImages.model_validate(yaml.safe_load(word.removeprefix("images=")))
    assert (given.path, given.said) == ("photos", reading)


def test_a_dataset_of_the_study_says_itself_how_it_is_read(folder: Path) -> None:
    with pytest.raises(UserError, match="greek is a dataset of the study; say there how it is read: follow_links"):
        own("greek", follow_links=True).advise()
