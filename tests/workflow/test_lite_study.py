"""The ImageNet network that needs no registration, at work: fetched, recognising photographs, a source of a study."""

import dataclasses
import json
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
import sklearn
import yaml
from PIL import Image

from freeze_or_tune.data.decoding import decode
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.stages.deployed import Deployed
from freeze_or_tune.study.backbones import TimmNetwork

from .conftest import ROOT, snakemake_in

LITE = yaml.safe_load((ROOT / "config/imagenet-lite.yaml").read_text())
RESULTS = Path(LITE["results"])
FLOWER = Path(sklearn.__file__).parent / "datasets/images/flower.jpg"
TEMPLE = FLOWER.with_name("china.jpg")
HOPPER = Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg"


def views(folder: Path) -> None:
    """A dozen overlapping views of each of two photographs."""
    for photograph in (FLOWER, TEMPLE):
        (folder / photograph.stem).mkdir(parents=True)
        image = Image.open(photograph)
        for number in range(12):
            left, top = 40 * (number % 6), 60 * (number // 6)
            view = image.crop((left, top, left + 360, top + 360))
            view.save(folder / photograph.stem / f"view {number}.jpg")


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study itself, with fewer and shorter experiments, and photographs besides."""
    folder = tmp_path_factory.mktemp("lite")
    views(folder / "views")
    study = LITE | {
        "machine": {"device": "cpu"},
        "datasets": {
            "digits": LITE["datasets"]["digits"], "greek": LITE["datasets"]["greek"],
            "views": {"reader": "folder", "path": "views"},
        },
        "targets": {
            "digits": {"dataset": "digits", "source": "imagenet", "n": [1], "val": 2, "test": 10},
            "greek": {"dataset": "greek", "source": "imagenet", "n": [1], "val": 1, "test": 2},
            "views": {"dataset": "views", "source": "imagenet", "n": [4], "val": 2, "test": 6},
        },
        "schemes": ["T1-9_R10", "F1-9_R10"],
        "solver": LITE["solver"] | {"min_iterations": 20, "max_iterations": 20, "evaluations": 4},
    }  # fmt: skip
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    done = snakemake_in(folder)("all", str(RESULTS / "advice/views.md"))
    assert done.returncode == 0, done.stdout
    return folder


def test_the_fetched_network_knows_what_photographs_show(lite: Path) -> None:
    """At the size it was trained with. TensorFlow's tutorials have the same answer for Grace Hopper: her uniform."""
    pretrained = load_pretrained(lite / RESULTS / "networks/imagenet.safetensors")
    sizes = TimmNetwork(**(LITE["networks"]["efficientnet-lite0"] | {"image_size": 224, "crop": 224}))
    mean = pretrained.mean[:1, :1].expand(224, 224, 3)
    images = np.array([decode(path.read_bytes(), 224) for path in (HOPPER, FLOWER)])
    probabilities = Deployed(sizes, dataclasses.replace(pretrained, mean=mean)).classify(images)
    assert probabilities.argmax(1).tolist() == [652, 985]  # military uniform, daisy


def test_the_estimated_mean_puts_photographs_before_drawings(lite: Path) -> None:
    found = {name: json.loads((lite / RESULTS / f"distances/{name}/cosine.json").read_text())
             for name in ("views", "greek", "digits")}  # fmt: skip
    assert all(one["estimated"] for one in found.values())
    # With 160 pixels crops of these photographs were measured as .33, letters as .49, digits as .62.
    assert found["views"]["value"] < found["greek"]["value"] < found["digits"]["value"]
    assert found["digits"]["value"] == pytest.approx(0.55, abs=0.03)


def test_a_few_pictures_are_enough_to_tell_a_flower_from_a_temple(lite: Path) -> None:
    table = pd.read_csv(lite / RESULTS / "experiments.csv").set_index(["target", "scheme"])
    assert len(table) == 6
    assert table.test_accuracy["views", "F1-9_R10"] > 0.9
    assert table.test_accuracy["digits", "F1-9_R10"] > 0.2  # chance is 0.1


def test_the_advice_says_that_the_distance_is_to_an_estimate(lite: Path) -> None:
    advice = Advice.read(lite / RESULTS / "advice/views.json")
    assert (advice.source, advice.estimated) == ("imagenet", ("imagenet",))
    page = (lite / RESULTS / "advice/views.md").read_text()
    assert "(estimate)" in page
    assert "to an estimate" in (lite / RESULTS / "tables/table2.md").read_text()
