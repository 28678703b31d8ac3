"""The worked example of docs/advice.md with a network that knows photographs: from a folder to a prediction."""

import json
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
import sklearn
import yaml
from PIL import Image

from freeze_or_tune.data.splits import read_rows
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.records.model import Model

from .conftest import ROOT, snakemake_in

FLOWER = Path(sklearn.__file__).parent / "datasets/images/flower.jpg"
PHOTOGRAPHS = (FLOWER, FLOWER.with_name("china.jpg"), Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg")
MODEL = "results/advice/crops/model.safetensors"


@pytest.fixture(scope="module")
def advised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default study, whose own network knows letters, and 72 crops of three photographs; a shorter training."""
    folder = tmp_path_factory.mktemp("photographs")
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    study["advice"]["sources"] = ["imagenet"]
    study["advice"]["solver"] |= {"min_iterations": 30, "max_iterations": 30, "evaluations": 2}
    study["machine"]["device"] = "cpu"
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    for photograph in PHOTOGRAPHS:
        (folder / "photos" / photograph.stem).mkdir(parents=True)
        image = Image.open(photograph)
        for number in range(24):
            left, top = 80 * (number % 6), 90 * (number // 6)
            image.crop((left, top, left + 100, top + 100)).save(folder / "photos" / photograph.stem / f"{number}.jpg")
    done = snakemake_in(folder)("--config", "images=photos", "--", MODEL)
    assert done.returncode == 0, done.stdout
    assert "rule experiment" not in done.stdout  # the first advice takes no study
    return folder


@pytest.mark.slow
def test_what_each_block_tells_and_a_race_make_the_advice(advised: Path) -> None:
    advice = Advice.read(advised / "results/advice/crops.json")
    assert advice.source == "imagenet"
    assert advice.profiles[0].last.logistic > 0.9
    assert len(advice.profiles[0].blocks) == 9
    race = advice.measured
    assert race is not None, advice.race
    assert race.first.accuracy > 0.85
    assert advice.schemes == (race.winner,)


@pytest.mark.slow
def test_the_model_knows_the_photographs(advised: Path) -> None:
    model = Model.read(advised / MODEL.replace("safetensors", "json"))
    assert model.accuracy > 0.8
    command = [sys.executable, "-m", "freeze_or_tune", "predict", MODEL, "--json", "--top", "1"]
    photos = [f"photos/{photograph.stem}/{number}.jpg" for photograph in PHOTOGRAPHS for number in (2, 9)]
    done = subprocess.run([*command, *photos], cwd=advised, capture_output=True, text=True, check=True)
    answers = [entry["classes"][0]["label"] for entry in json.loads(done.stdout)]
    right = sum(photo.split("/")[1] == answer for photo, answer in zip(photos, answers, strict=True))
    assert right >= 5


@pytest.mark.slow
def test_frames_of_a_camera_that_moves_are_kept_together(advised: Path, tmp_path: Path) -> None:
    """Scenes of 100 pixels in three frames each, two pixels further every time: told by the network, not by pixels."""
    for photograph in PHOTOGRAPHS:
        (tmp_path / "films" / photograph.stem).mkdir(parents=True)
        image = Image.open(photograph)
        for number in range(8):
            left, top = 110 * (number % 4), 150 * (number // 4)
            for frame in range(3):
                moved = left + 2 * frame
                image.crop((moved, top, moved + 100, top + 100)).save(
                    tmp_path / "films" / photograph.stem / f"{number}_{frame}.png"
                )
    done = snakemake_in(advised)("--config", f"images={tmp_path / 'films'}", "--", "results/advice/films/check.json")
    assert done.returncode == 0, done.stdout
    groups: dict[str, set[str]] = {}
    for row in read_rows(advised / "results/advice/films/split.csv"):
        groups.setdefault(row.group or row.image, set()).add(row.image.rpartition("_")[0])
    assert all(len(scenes) == 1 for scenes in groups.values())  # no scene is taken for another
    assert len(groups) < 24 * 1.5  # of 72 images
