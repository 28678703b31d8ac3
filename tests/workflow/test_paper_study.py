"""The paper's study: how large it is, and its config run to the figures on files of the real layouts in miniature."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from freeze_or_tune.study.reading import read_study

from ..networks.caffemodels import caffemodel
from .conftest import ROOT, snakemake_in
from .miniature import WNIDS, copy_workflow, overlaid, place_all

PAPER = ROOT / "config/paper.yaml"
CAFFENET = {
    "conv1": (96, 3, 11, 11), "conv2": (256, 48, 5, 5), "conv3": (384, 256, 3, 3), "conv4": (384, 192, 3, 3),
    "conv5": (256, 192, 3, 3), "fc6": (4096, 9216), "fc7": (4096, 4096), "fc8": (1000, 4096),
}  # fmt: skip
FEW = {"batch": 4, "epochs": 1, "min_iterations": 2, "max_iterations": 2, "evaluations": 1}
BOTH = ["T1-7_R8", "F1-7_R8"]
# Only numbers are smaller, so that a handful of images and steps will do; one split a target, two of birds; and all of
# the paper's schemes for the halves of ImageNet, indoor scenes and birds.
SMALLER = {
    "machine": {"device": "cpu"},
    "solver": {**FEW, "views": 1},
    "datasets": {"caltech256": {"smallest_class": 6}},
    "sources": {
        "imagenet": {"sample": 1},
        "imagenet-500a": {"sample": 2, "pretraining": {"n": 6, "val": 1, "classes": "enough", "solver": FEW}},
    },
    "targets": {
        "yosinski": {"n": [1], "val": 1, "classes": "enough"},
        "caltech256": {"n": [1], "val": 1, "test": 2, "schemes": BOTH},
        "sun397": {"n": [1], "val": 1, "test": 2, "schemes": BOTH},
        "mit-indoor": {"n": [3], "val": 1},
        "cub200": {"n": [2, 4], "val": 1},
        "coral": {"n": [4], "val": 2, "test": 3, "schemes": BOTH},
        "plankton": {"n": [2], "val": 1, "test": 2, "schemes": BOTH},
    },
    "distances": {"svm": {"samples": 12}, "cnn": {"samples": 12, "iterations": 3, "batch": 4}},
}


def test_the_paper_has_178_experiments() -> None:
    study = read_study(PAPER)
    counts = Counter(target for target, _, _ in study.experiments())
    assert counts.pop("yosinski") == 40
    assert counts == {"caltech256": 24, "sun397": 24, "mit-indoor": 24, "cub200": 18, "coral": 24, "plankton": 24}
    assert sum(len(study.target(name).n) for name in counts) == 23


def test_snakemake_plans_178_experiments(tmp_path: Path) -> None:
    done = snakemake_in(tmp_path, study=PAPER)("--dry-run")
    assert done.returncode == 0, done.stdout
    jobs = dict(line.split() for line in done.stdout.splitlines() if line.split()[:1] in (["experiment"], ["pretrain"]))
    assert jobs == {"experiment": "178", "pretrain": "1"}


def draw_caffenet(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """CaffeNet's two files with random numbers in them, where a person would place them."""
    random = np.random.default_rng(0)
    layers = {
        name: (
            random.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape).astype(np.float32),
            random.normal(0, 0.01, shape[0]).astype(np.float32),
        )
        for name, shape in CAFFENET.items()
    }
    folder.mkdir(parents=True)
    (folder / "bvlc_reference_caffenet.caffemodel").write_bytes(caffemodel(layers, legacy=True))
    np.save(folder / "ilsvrc_2012_mean.npy", random.uniform(100, 125, (3, 256, 256)))
    return layers


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """The folder of the paper's study in miniature, run to its end, and CaffeNet's parameters."""
    folder = tmp_path_factory.mktemp("paper")
    place_all(folder)
    layers = draw_caffenet(folder / "resources/manual/caffenet")
    snakefile = copy_workflow(folder)
    config = overlaid(yaml.safe_load(PAPER.read_text()), SMALLER)
    (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    done = snakemake_in(folder, snakefile, timeout=1200)()
    assert done.returncode == 0, done.stdout
    return folder, layers


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def counts(folder: Path, split: str) -> dict[str, Counter[str]]:
    """Images a class of each subset of a split."""
    found: dict[str, Counter[str]] = {}
    for row in rows(folder / f"results/splits/{split}.csv"):
        found.setdefault(row["subset"], Counter())[row["class"]] += 1
    return found


def test_every_experiment_every_figure(finished) -> None:
    folder, _ = finished
    done = Counter((row["target"], row["n"]) for row in rows(folder / "results/experiments.csv"))
    assert done == {
        ("yosinski", "1"): 8, ("caltech256", "1"): 2, ("sun397", "1"): 2, ("mit-indoor", "3"): 6, ("cub200", "2"): 6,
        ("cub200", "4"): 6, ("coral", "4"): 2, ("plankton", "2"): 2,
    }  # fmt: skip
    for number in (1, 2, 3):
        assert (folder / f"results/figures/fig{number}.pdf").read_bytes().startswith(b"%PDF")
        assert (folder / f"results/tables/table{number}.md").stat().st_size > 200


def test_what_was_placed_by_hand_was_checked_and_taken(finished) -> None:
    folder, _ = finished
    for path in (folder / "resources/manual").glob("*/*"):
        assert (folder / "resources/downloads" / path.relative_to(folder / "resources/manual")).samefile(path)


def test_caffenet_is_the_one_in_the_file(finished) -> None:
    folder, layers = finished
    ours = load_file(folder / "results/networks/imagenet.safetensors")
    for name, (weights, biases) in layers.items():
        np.testing.assert_array_equal(ours[f"{name}.weight"], weights)
        np.testing.assert_array_equal(ours[f"{name}.bias"], biases)
    assert json.loads((folder / "results/networks/imagenet.json").read_text())["parameters"] == 60_965_224


def test_the_halves_of_imagenet(finished) -> None:
    folder, _ = finished
    a, b = ({row["class"] for row in rows(folder / f"results/indexes/imagenet-{half}.csv")} for half in "ab")
    assert (len(a), len(b), a & b) == (500, 500, set())
    assert sorted(counts(folder, "imagenet-500a/n6")["train"]) == WNIDS[:3]
    assert sorted(counts(folder, "yosinski/n1")["train"]) == [WNIDS[3], WNIDS[4], WNIDS[6]]
    # Its classifier knows the classes of its own half only, and its mean image is of its own training images.
    own = load_file(folder / "results/networks/imagenet-500a.safetensors")
    assert own["fc8.weight"].shape == (3, 4096)
    assert own["mean"].shape == (256, 256, 3)


def test_official_test_sets_groups_and_unequal_classes(finished) -> None:
    folder, _ = finished
    birds = counts(folder, "cub200/n4")
    assert sorted(birds["train"].values()) == [3, 4, 4]
    assert set(birds["test"].values()) == {2}
    assert {name: set(held.values()) for name, held in counts(folder, "mit-indoor/n3").items()} == {
        "train": {3}, "val": {1}, "test": {2},
    }  # fmt: skip
    assert sorted(counts(folder, "coral/n4")["train"]) == ["Porit", "Sand", "Turf"]
    quadrats: dict[str, set[str]] = {}
    for row in rows(folder / "results/splits/coral/n4.csv"):
        quadrats.setdefault(row["image"].split("_qu")[1][0], set()).add(row["subset"])
    assert {len(subsets) for subsets in quadrats.values()} == {1}
    assert sorted(counts(folder, "plankton/n2")["train"]) == ["Ceratium", "detritus", "mix"]


def test_nothing_readable_was_left_out(finished) -> None:
    folder, _ = finished
    assert [rows(path) for path in (folder / "results/stores").glob("*.rejected.csv")] == [[]] * 9


def test_another_config_on_the_same_files_reuses_what_it_can(finished) -> None:
    folder, _ = finished
    config = yaml.safe_load((folder / "study.yaml").read_text())
    (folder / "longer.yaml").write_text(yaml.safe_dump(overlaid(config, {"targets": {"sun397": {"n": [1, 3]}}})))
    done = snakemake_in(folder, folder / "Snakefile", folder / "longer.yaml")("--dry-run")
    assert done.returncode == 0, done.stdout
    jobs = dict(line.split() for line in done.stdout.splitlines() if line.split()[:1] in (["experiment"], ["download"]))
    assert jobs == {"experiment": "4"}
