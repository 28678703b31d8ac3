"""Advice and a model for images in bursts, in given parts that lack a class, on the finished small study."""

import csv
import json
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from freeze_or_tune.data.splits import read_split
from freeze_or_tune.records.advice import Advice, Check
from freeze_or_tune.records.model import Model
from freeze_or_tune.records.probes import Profile

from .conftest import snakemake_in

pytestmark = pytest.mark.slow

KINDS = ("fine", "coarse", "diagonal")
SCENES, SHOTS = 8, 3


def scene(kind: str, number: int) -> np.ndarray:
    """Stripes of a kind behind spots of their own."""
    random = np.random.default_rng([KINDS.index(kind), number])
    rows, columns = np.mgrid[:64, :64]
    wave = {"fine": rows, "coarse": columns / 2, "diagonal": rows + columns}[kind]
    spots = np.kron(random.uniform(-60, 60, (8, 8)), np.ones((8, 8)))
    return 110 + 60 * np.sin(wave / 2 + random.uniform(0, 6)) + spots


def shots(folder: Path, kind: str, numbers: range, name: str) -> None:
    random = np.random.default_rng(numbers.start)
    (folder / name).mkdir(parents=True)
    for number in numbers:
        for shot in range(SHOTS):
            pixels = scene(kind, number) + random.integers(-3, 4, (64, 64))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name / f"{number}_{shot}.png")


@pytest.fixture(scope="module")
def advised(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three kinds in bursts, and a fourth of which there is a single scene: it can only train."""
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("bursts") / "study", symlinks=True)
    for kind in KINDS:
        shots(folder / "photos", kind, range(SCENES), kind)
    shots(folder / "photos", "fine", range(50, 51), "lonely")
    done = snakemake_in(folder)("--config", "images=photos", "--", "results/advice/birds/model.safetensors")
    assert done.returncode == 0, done.stdout
    return folder / "results/advice"


def test_no_burst_is_parted(advised: Path) -> None:
    rows = read_split(advised / "birds/split.csv", 0, 0, 0, pool="shares")
    subsets = defaultdict(set)
    for row in rows:
        subsets[row.image.rpartition("_")[0]].add(row.subset)
    assert all(len(found) == 1 for found in subsets.values())
    assert Counter(row.subset for row in rows if row.class_name != "lonely") == {"train": 54, "val": 9, "test": 9}
    assert {row.subset for row in rows if row.class_name == "lonely"} == {"train"}
    with (advised / "birds/split.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["image", "class", "label", "subset", "group"]


def test_what_was_found_stands_in_the_check_and_on_the_page(advised: Path) -> None:
    check, page = Check.read(advised / "birds/check.json"), (advised / "birds.md").read_text()
    assert (check.groups, check.near_copies) == (25, 75)
    kinds = {finding.kind for finding in check.findings}
    assert {"near", "scenes", "missing"} <= kinds
    assert all(f"- {finding}\n" in page for finding in check.findings)


def test_the_race_was_run_on_whole_bursts_and_the_probe_told_each_image_once(advised: Path) -> None:
    race = Advice.read(advised / "birds.json").measured
    assert race is not None
    assert race.first.images % SHOTS == 0
    profile = Profile.read(advised / "birds/probes/stripes-net.json")
    assert (profile.images, profile.classes) == (66, 4)


def test_a_class_that_nobody_tested_is_learnt_and_leaves_no_hole(advised: Path) -> None:
    model = Model.read(advised / "birds/model.json")
    assert model.labels == ("coarse", "diagonal", "fine", "lonely")
    assert [sum(row) for row in model.confusion] == [3, 3, 3, 0]
    assert (model.experiment.train_images, model.experiment.test_images) == (66, 9)
    for written in (*advised.glob("birds.*"), *advised.glob("birds/*")):
        if written.suffix in (".json", ".md", ".html"):
            assert "nan" not in written.read_text().lower().replace("finance", ""), written


def test_every_number_is_one(advised: Path) -> None:
    """JSON of Python's would say NaN or Infinity."""

    def refused(word: str) -> None:
        raise AssertionError(word)

    for written in (advised / "birds.json", *advised.glob("birds/*.json")):
        assert json.loads(written.read_text(), parse_constant=refused)
