"""Estimates against what jobs of a real run took, and against counts made elsewhere."""

from pathlib import Path

import pytest
import torch

from freeze_or_tune.__main__ import main
from freeze_or_tune.data.layouts import READERS
from freeze_or_tune.networks.caffenet import caffenet
from freeze_or_tune.planning.estimates import _SCALED_MB, RULES, Estimate, counts_of, jobs, table
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.reading import load_study, read_study
from freeze_or_tune.study.shapes import shape_of
from freeze_or_tune.study.solver import CopiedGrid, Search, TunedGrid
from freeze_or_tune.study.study import Study
from freeze_or_tune.training.prefix import SCALED

CAFFENET = CaffeNet(channels=(96, 256, 384, 384, 256), features=4096, image_size=256, crop=227)
SMALL = CaffeNet(channels=(8, 10, 12, 14, 16), features=20, image_size=64, crop=60)


ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def study() -> Study:
    return read_study(ROOT / "config/config.yaml")


def test_parameters_of_caffenet_are_those_that_are_published() -> None:
    biases = 96 + 256 + 384 + 384 + 256 + 4096 + 4096
    assert shape_of(CAFFENET).parameters + biases + 4096 * 1000 + 1000 == 60_965_224


@pytest.mark.parametrize("sizes", [SMALL, CAFFENET])
def test_outputs_are_those_of_the_network(sizes: CaffeNet) -> None:
    network = caffenet(sizes, 3).eval()
    x, outputs = torch.zeros(1, 3, sizes.crop, sizes.crop), []
    with torch.no_grad():
        for layer in network.children():
            x = layer(x)
            outputs.append(x.numel())
    assert [n for n in shape_of(sizes).outputs if n not in outputs] == []


def test_operations_of_caffenet_are_those_that_are_published() -> None:
    # 724 million multiply-adds (netscope's count of bvlc_reference_caffenet with its groups), less the classifier's 4
    assert shape_of(CAFFENET).operations == pytest.approx(2 * 720e6, rel=0.02)


def test_images_of_a_split(study: Study) -> None:
    assert counts_of(study, study.split("greek", 10)) == (480, 240, 1200)
    assert counts_of(study, study.split("latin-a", 100)) == (10_000, 1000, 2000)


def test_the_images_of_a_split_are_in_the_memory_of_its_experiments(study: Study) -> None:
    small, large = (RULES["experiment"](study, "greek", n, "T1-7_R8") for n in ("1", "100"))
    images = 48 * 99 * 3 * 64**2 / 2**20
    assert large.memory_mb >= small.memory_mb + images


def on(study: Study, device: str, **changes: object) -> Study:
    return study.model_copy(update={"machine": study.machine.model_copy(update={"device": device}), **changes})


def test_small_images_without_their_mean_are_in_the_memory_of_schemes_that_freeze_nothing(study: Study) -> None:
    on_cpu = on(study, "cpu")
    tuned, frozen = (RULES["experiment"](on_cpu, "greek", "100", scheme) for scheme in ("T1-7_R8", "F1-7_R8"))
    cached = 8 * 256 * (study.solver.views * 4800 + 240 + 1200) / 2**20  # twice fc6 in every view
    assert tuned.memory_mb == pytest.approx(frozen.memory_mb - cached + 4 * 4800 * 3 * 64**2 / 2**20, abs=100)
    assert SCALED == _SCALED_MB * 2**20


def test_adamw_remembers_one_number_more_of_each_parameter(study: Study) -> None:
    def megabytes(**changes: object) -> int:
        solver = study.solver.model_copy(update={"search": None, **changes})
        changed = study.model_copy(update={"networks": {"caffenet-small": CAFFENET}, "solver": solver})
        return RULES["experiment"](changed, "greek", "1", "T1-7_R8").memory_mb

    other = (0.001,)
    adamw = Search(tuned=TunedGrid(adamw=CopiedGrid(learning_rate=other)))
    moment = 4 * 57e6 / 2**20
    assert megabytes(method="adamw") - megabytes() == pytest.approx(2 * moment, abs=100)
    sgd = megabytes(search=Search(tuned=TunedGrid(learning_rate=other)))
    assert megabytes(search=adamw) - sgd == pytest.approx(2 * moment, abs=100)


def test_a_gpu_is_faster_and_holds_what_a_cpu_must(study: Study) -> None:
    with_gpu, without = (on(study, device, networks={"caffenet-small": CAFFENET}) for device in ("cuda", "cpu"))
    gpu, cpu = (RULES["experiment"](one, "greek", "100", "F1-3_R4-8") for one in (with_gpu, without))
    assert gpu.minutes < cpu.minutes
    # 4,800 images in 4 views, conv3's 384 x 13 x 13 responses to each
    assert cpu.memory_mb - gpu.memory_mb > 4 * 4800 * 4 * 384 * 13 * 13 / 2**20 - 2600


@pytest.mark.parametrize(("sizes", "more"), [(SMALL, "cuda"), (CAFFENET, "cpu")])
def test_a_job_that_takes_any_device_asks_for_what_either_takes(study: Study, sizes: CaffeNet, more: str) -> None:
    """What a small network takes on a CPU is less than what CUDA does, what a large one takes is more."""
    cpu, cuda, either = (
        jobs(on(study, device, networks={"caffenet-small": sizes}, probes=True)) for device in ("cpu", "cuda", "auto")
    )
    for (rule, name, one), (*_, other), asked in zip(cpu, cuda, either, strict=True):
        assert asked == (rule, name, Estimate(*map(max, one, other)))
        if rule == "experiment":
            assert more == ("cpu" if one.memory_mb > other.memory_mb else "cuda")


def test_each_job_of_a_study_asks_for_something(study: Study) -> None:
    found = jobs(study.model_copy(update={"probes": True}))
    assert {rule for rule, _, _ in found} == RULES.keys()
    assert sum(rule == "experiment" for rule, _, _ in found) == 84
    assert all(isinstance(one, Estimate) and one.memory_mb >= 500 and one.minutes >= 10 for _, _, one in found)


@pytest.mark.parametrize("reader", READERS)
def test_images_of_any_reader_have_an_estimate(study: Study, reader: str) -> None:
    own: dict[str, dict[str, object]] = {
        "glyphs": {"alphabet": "greek"}, "digits": {}, "solar-cells": {}, "photographs": {}, "textures": {},
        "specimens": {},
        "folder": {"path": "birds"}, "csv": {"path": "birds.csv"},
        "parquet": {"path": "birds"}, "webdataset": {"path": "birds"}, "sun397-parquet": {"path": "birds"},
    }  # fmt: skip
    options = own.get(reader, {"files": ["birds.tar"]})
    config = study.model_dump(mode="json", exclude_unset=True)
    config["datasets"]["birds"] = {"reader": reader, **options}
    config["targets"]["birds"] = {"dataset": "birds", "source": "latin-a", "n": [5], "val": 2, "test": 2}
    estimate = RULES["experiment"](load_study(config), "birds", "5", "T1-7_R8")
    assert estimate.memory_mb >= 500
    assert estimate.minutes >= 10


def test_the_table_of_a_study_is_printed(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resources", "--configfile", str(ROOT / "config/config.yaml")]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines()]
    assert ["experiment", "greek", "21"] in [[cell.strip() for cell in row[:3]] for row in rows]


def test_all_names_of_a_large_dataset_are_in_the_memory_of_its_store() -> None:
    # Measured: 3.4 million names in nine zips, of which a store of 64 pixels takes 286 MB, took 4,499 MB.
    paper = read_study(ROOT / "config/paper.yaml")
    assert RULES["store"](paper, "plankton", "64").memory_mb > 4499


def test_a_gpu_without_room_for_its_cache_has_time_to_do_without() -> None:
    paper = read_study(ROOT / "config/paper.yaml")
    settings = paper.experiment("yosinski", 53, "F1-7_R8")
    forward = settings.solver.iterations(500 * 53) * 50 * 1.44e9 / 5e12  # 720 million multiply-adds an image
    assert RULES["experiment"](paper, "yosinski", "53", "F1-7_R8").minutes >= forward / 60


def test_a_store_has_time_to_open_its_archive() -> None:
    paper = read_study(ROOT / "config/paper.yaml")
    caltech, sun = (RULES["store"](paper, name, "256") for name in ("caltech256", "sun397"))
    assert sun.minutes >= caltech.minutes + 15  # 39 GB at 50 MB/s take 13 minutes


def test_the_docs_show_the_papers_table() -> None:
    # Printed anew by: freeze-or-tune resources --configfile config/paper.yaml
    assert table(read_study(ROOT / "config/paper.yaml")) in (ROOT / "docs/cluster.md").read_text()
