"""What the paper's study takes, against counts by hand from its Table 1."""

from pathlib import Path

import pytest

from freeze_or_tune.data.downloads.catalogue import Download, read_downloads
from freeze_or_tune.planning.costs import bytes_on_disk, disk, gpu_hours, tables
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.study.study import Study

ROOT = Path(__file__).parents[2]
IMAGE = 256 * 256 * 3


@pytest.fixture(scope="module")
def study() -> Study:
    return read_study(ROOT / "config/paper.yaml")


@pytest.fixture(scope="module")
def downloads() -> list[Download]:
    return [row for rows in read_downloads(ROOT / "config/downloads.csv").values() for row in rows]


def test_bytes_are_those_of_the_images_of_table_1(study: Study, downloads: list[Download]) -> None:
    found = {(stage, name): amount * 1e9 for stage, name, amount in disk(study, downloads)}
    assert found["store", "caltech256"] == pytest.approx(256 * (53 + 2 + 25) * IMAGE)
    assert found["store", "coral"] == pytest.approx(8 * 800 * IMAGE)
    assert found["store", "imagenet"] == pytest.approx(50_000 * IMAGE)
    # 500 classes of at most 1,300 training, 10 validation and 50 official test images.
    assert found["store", "imagenet-a"] == pytest.approx(500 * 1360 * IMAGE)
    assert found["features", "imagenet-a"] == pytest.approx(50_000 * 4096 * 4)
    assert found["download", "ilsvrc2012"] == 147_897_477_120 + 6_744_924_160
    assert found["download", "caffenet"] == 243_862_418


def test_hours_are_those_of_the_operations(study: Study) -> None:
    hours = {name: amount for _, name, amount in gpu_hours(study)}
    # 450,000 iterations of 256, three times CaffeNet's 1.44 billion operations (and a little to look at validation).
    assert hours["imagenet-500a"] == pytest.approx(450_000 * 256 * 3 * 1.44e9 / 5e12 / 3600, rel=0.02)


def test_frozen_copies_cost_a_fraction_of_tuned_ones(study: Study) -> None:
    def hours(*schemes: str) -> float:
        target = study.targets["sun397"].model_copy(update={"schemes": schemes})
        return next(amount for _, name, amount in gpu_hours(study.model_copy(update={"targets": {"sun397": target}}))
                    if name == "sun397")  # fmt: skip

    # What is cached are the first six blocks: fc7, 4096 x 4096, is what is left to compute.
    assert hours("F1-7_R8") < hours("T1-7_R8") / 10
    assert hours("F1-7_R8") < hours("F1-5_R6-8") < hours("F1-3_R4-8") < hours("T1-3_R4-8")
    assert hours("T1-3_R4-8") == hours("T1-7_R8")


def test_the_docs_show_what_the_paper_takes(study: Study, downloads: list[Download]) -> None:
    # Printed anew by: freeze-or-tune resources --configfile config/paper.yaml
    assert tables(study, downloads) in (ROOT / "docs/paper-run.md").read_text()


def test_room_by_folder(study: Study, downloads: list[Download]) -> None:
    room = bytes_on_disk(study, downloads)
    assert room["resources"] > 147_897_477_120 + 39_077_296_924  # ILSVRC2012 and SUN397 among others
    assert sum(room.values()) == pytest.approx(1e9 * sum(amount for *_, amount in disk(study, downloads)))
