"""The worked example of docs/advice.md: from a folder of photographs to a prediction, on the finished small study."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from safetensors import safe_open
from statsmodels.stats.proportion import proportion_confint

from freeze_or_tune.data.decoding import decode
from freeze_or_tune.data.splits import read_split
from freeze_or_tune.records.advice import Advice, Check
from freeze_or_tune.records.model import Model, Use
from freeze_or_tune.records.race import Race
from freeze_or_tune.study.schemes import Scheme

from .conftest import snakemake_in

Snakemake = Callable[..., subprocess.CompletedProcess[str]]

FOLDER = "my photos"
BIRDS = ("owl 🦉", "robin", "line\nbreak")
WITH = ("--config", f"images={FOLDER}", "--")
MODEL = "results/advice/birds/model.safetensors"


def photographs(folder: Path) -> None:
    """Three kinds of birds, seen as stripes and in several formats and sizes, and what else lies in folders."""
    random = np.random.default_rng(1)
    rows, columns = np.mgrid[:40, :60]
    for name, wave in zip(BIRDS, (rows, columns, rows + 2 * columns), strict=True):
        (folder / name).mkdir(parents=True)
        for i in range(20):
            brightness = 0.5 + 0.5 * np.sin(wave / 3 + random.uniform(0, 6))
            pixels = (brightness[..., None] * random.uniform(120, 255, 3)).astype(np.uint8)
            picture = Image.fromarray(pixels).resize((60 + i, 40))
            picture.save(folder / name / f"bird {i}.{('png', 'jpg', 'bmp', 'webp')[i % 4]}")
    (folder / "robin/torn.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "robin/from a camera.nef").write_bytes(b"?")
    (folder / "rare").mkdir()
    Image.new("RGB", (30, 30), "red").save(folder / "rare/only one.png")


@pytest.fixture(scope="module")
def advised(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished study with advice, model and ONNX for a folder of photographs."""
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("advice") / "study", symlinks=True)
    photographs(folder / FOLDER)
    done = snakemake_in(folder)(*WITH, "results/advice/birds.md", "results/advice/birds/model.onnx")
    assert done.returncode == 0, done.stdout
    return folder


def predict(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "freeze_or_tune", "predict", MODEL, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_advice_is_there_for_people_and_programs(advised: Path) -> None:
    page, advice = (advised / "results/advice/birds.md").read_text(), Advice.read(advised / "results/advice/birds.json")
    assert advice.source == "stripes-net"
    assert advice.images_a_class == 12  # of 20 a class, 4 validate and 4 test
    assert f" {advice.distances['stripes-net']:.3f} " in page
    assert "(birds.png)" in page
    assert (advised / "results/advice/birds.png").read_bytes().startswith(b"\x89PNG")
    assert (advised / "results/advice/birds.pdf").read_bytes().startswith(b"%PDF")
    html = (advised / "results/advice/birds.html").read_text()
    assert html.startswith("<!doctype html>")
    command = f"freeze-or-tune model &#39;{FOLDER}&#39; --name birds --study study.yaml"
    assert command in html
    assert command.replace("&#39;", "'") in page


def test_the_race_was_run_and_the_advice_is_its_winner(advised: Path) -> None:
    race = Race.read(advised / "results/advice/birds/race.json")
    advice = Advice.read(advised / "results/advice/birds.json")
    assert advice.race == race
    assert {one.scheme for one in race.schemes} == {"T1-7_R8", "F1-4_T5-7_R8", "F1-7_R8"}
    assert advice.schemes == (race.winner,)
    assert max(one.images for one in race.schemes) == 16 * race.rounds  # of 48 that do not test, a third a round
    assert advice.profiles[0].images == 48
    assert [probe.block for probe in advice.profiles[0].blocks] == list(range(1, 8))


def test_without_a_budget_the_experiments_of_others_decide(advised: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(advised, tmp_path / "study", symlinks=True)
    given = ("--config", f"images={FOLDER}", "budget=0", "--")
    done = snakemake_in(folder)(*given, "results/advice/birds.md")
    assert done.returncode == 0, done.stdout
    advice = Advice.read(folder / "results/advice/birds.json")
    assert (advice.race, advice.evidence) == (None, ())
    assert "There was no race: `budget: 0`." in (folder / "results/advice/birds.md").read_text()


def test_a_budget_that_is_too_short_ends_with_what_it_takes(advised: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(advised, tmp_path / "study", symlinks=True)
    given = ("--config", f"images={FOLDER}", "budget=0.000001", "--")
    done = snakemake_in(folder)(*given, "results/advice/birds.md")
    assert done.returncode != 0
    assert (
        "the budget of 1e-06 minutes is too short: one round of T1-7_R8 and F1-7_R8 takes some 1 minute" in done.stdout
    )


def test_what_was_wrong_with_the_folder_is_said(advised: Path) -> None:
    check = Check.read(advised / "results/advice/birds/check.json")
    found = {finding.kind: finding.examples for finding in check.findings}
    assert found["unreadable"] == ("'robin/torn.jpg'",)
    assert found["ignored"] == ("'robin/from a camera.nef'",)
    assert found["small"] == ("'rare'",)
    assert (check.used_images, check.images) == (60, 62)
    page = (advised / "results/advice/birds.md").read_text()
    assert all(f"- {finding}\n" in page for finding in check.findings)


def test_the_model_follows_the_advice_and_has_learnt_from_all_but_the_test_images(advised: Path) -> None:
    advice, model = (
        Advice.read(advised / "results/advice/birds.json"),
        Model.read(advised / MODEL.replace("safetensors", "json")),
    )
    assert model.trials == ()
    assert (model.experiment.settings.scheme,) == advice.schemes
    assert (model.experiment.train_images, model.experiment.test_images) == (48, 12)
    assert advice.race is not None
    first, tried = advice.race.first, model.experiment.settings.solver.candidates(Scheme.parse(*advice.schemes))
    assert {one.candidate for one in first.candidates} <= set(tried)
    if Scheme.parse(*advice.schemes).tuned:
        assert tried == (first.candidates[0].candidate,)  # what the race chose, and no other
        assert model.averaged == 0
    else:
        assert model.averaged == (len(first.candidates) if len(first.candidates) > 1 else 0)
    assert model.labels == tuple(sorted(BIRDS))
    assert not (advised / "results/advice/birds/candidates").exists()


def test_the_accuracy_its_interval_and_the_confusion_are_of_the_test_images(advised: Path) -> None:
    model = Model.read(advised / MODEL.replace("safetensors", "json"))
    confusion = np.array(model.confusion)
    assert confusion.sum(axis=1).tolist() == [4, 4, 4]
    right, images = np.trace(confusion), confusion.sum()
    assert model.accuracy == pytest.approx(right / images)
    assert right / images > 0.6  # chance is 0.33
    assert (model.low, model.high) == pytest.approx(proportion_confint(right, images, method="wilson"))
    card = (advised / "results/advice/birds/model.md").read_text()
    assert f"**{100 * right / images:.1f} % of 12 test images are right" in card
    assert "(confusion.png)" in card
    assert "the winner of a race. Of its candidates the one with learning_rate" in card
    assert (advised / "results/advice/birds/confusion.png").read_bytes().startswith(b"\x89PNG")


def test_predict_classifies_the_test_images_as_training_did(advised: Path) -> None:
    rows = read_split(advised / "results/advice/birds/split.csv", 0, 0, 0, pool="shares")
    tests = [row for row in rows if row.subset == "test"]
    done = predict(advised, "--json", "--top", "99", *(f"{FOLDER}/{row.image}" for row in tests))
    assert (done.returncode, done.stderr) == (0, "")
    answers = json.loads(done.stdout)
    right = sum(answer["classes"][0]["label"] == row.class_name for answer, row in zip(answers, tests, strict=True))
    model = Model.read(advised / MODEL.replace("safetensors", "json"))
    assert right / len(tests) == pytest.approx(model.accuracy)
    for answer in answers:
        probabilities = [entry["probability"] for entry in answer["classes"]]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        assert {entry["label"] for entry in answer["classes"]} == set(BIRDS)


def test_predict_names_bad_images_and_fails_but_classifies_the_others(advised: Path) -> None:
    done = predict(advised, f"{FOLDER}/robin/torn.jpg", f"{FOLDER}/robin/bird 0.png", "gone.png")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{FOLDER}/robin/bird 0.png: ")
    assert len(done.stdout.splitlines()) == 1
    assert f"cannot read {FOLDER}/robin/torn.jpg: " in done.stderr
    assert "cannot read gone.png: No such file or directory" in done.stderr
    assert f"error: 2 of 3 images could not be read: {FOLDER}/robin/torn.jpg, gone.png" in done.stderr


def test_predict_works_far_from_the_project(advised: Path, tmp_path: Path) -> None:
    shutil.copy(advised / MODEL, tmp_path / "model.safetensors")
    shutil.copy(advised / FOLDER / "robin/bird 1.jpg", tmp_path / os.fsdecode(b"b\xe9.jpg"))
    done = subprocess.run(
        [sys.executable, "-m", "freeze_or_tune", "predict", "model.safetensors", os.fsdecode(b"b\xe9.jpg")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(r"'b\udce9.jpg': ")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("results/networks/stripes-net.safetensors", "says nothing of its labels"),
        ("results/advice/birds.md", "is not a safetensors file"),
        ("nowhere.safetensors", "nowhere.safetensors does not exist"),
    ],
)
def test_what_is_no_model_is_said(advised: Path, model: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "freeze_or_tune", "predict", model, f"{FOLDER}/robin/bird 0.png"],
        cwd=advised, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert words in done.stderr


def test_onnx_gives_the_same_probabilities(advised: Path) -> None:
    names = [f"{FOLDER}/{name}/bird {i}.{suffix}" for name in BIRDS for i, suffix in ((0, "png"), (1, "jpg"))]
    images = np.array([decode((advised / name).read_bytes(), 64) for name in names])
    session = onnxruntime.InferenceSession(advised / "results/advice/birds/model.onnx")
    (probabilities,) = session.run(["probabilities"], {"images": images})
    answers = json.loads(predict(advised, "--json", *names).stdout)
    labels = Model.read(advised / MODEL.replace("safetensors", "json")).labels
    for row, answer in zip(probabilities, answers, strict=True):
        expected = {entry["label"]: entry["probability"] for entry in answer["classes"]}
        assert dict(zip(labels, row, strict=True)) == pytest.approx(expected, abs=1e-5)


def test_the_header_tells_how_to_use_the_weights_with_other_software(advised: Path) -> None:
    """All steps by hand, in numpy, but for the network itself: the words in the header must be enough."""
    with safe_open(advised / MODEL, "pt") as file:
        use = Use.model_validate_json(file.metadata()["about"])
        mean = file.get_tensor("mean").numpy()
    assert use.labels == tuple(sorted(BIRDS))
    assert mean.shape == (64, 64, 3)
    for words in ("warp to 64 x 64", "reverse the channels to BGR", "central 60 x 60", "multiply by 0.0156"):
        assert words in use.preprocessing


def test_a_second_time_nothing_is_done(advised: Path) -> None:
    done = snakemake_in(advised)(*WITH, "results/advice/birds/model.onnx")
    assert "Nothing to be done" in done.stdout


def test_a_photograph_more_is_noticed(advised: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(advised, tmp_path / "study", symlinks=True)
    shutil.copy(folder / FOLDER / "robin/bird 0.png", folder / FOLDER / "robin/one more.png")
    done = snakemake_in(folder)(*WITH, "results/advice/birds.md")
    assert done.returncode == 0, done.stdout
    check = Check.read(folder / "results/advice/birds/check.json")
    assert (check.images, check.used_images) == (63, 60)  # it is a copy
    assert "rule experiment" not in done.stdout


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ((), "'birds' is not a dataset of this study; its datasets are stripes, digits"),
        (("--config", "images=nowhere"), "images: nowhere does not exist"),
    ],
)
def test_images_that_are_not_there_are_said(finished: Path, config: tuple[str, ...], words: str) -> None:
    done = snakemake_in(finished)("--dry-run", *config, "--", "results/advice/birds.md")
    assert done.returncode != 0
    assert words in done.stdout


def test_images_are_not_taken_for_those_of_a_dataset_of_their_name(finished: Path, tmp_path: Path) -> None:
    done = snakemake_in(finished)("--dry-run", "--config", f"images={tmp_path}", "--", "results/advice/digits.md")
    assert done.returncode != 0
    assert "the study has a dataset digits; give your images another name" in done.stdout
