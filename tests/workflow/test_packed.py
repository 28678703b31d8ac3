"""Images in parquet files, WebDataset's tars, and datasets of the Hub by name, from one setting to advice."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from PIL import Image
from pyarrow import parquet
from safetensors.torch import save

from freeze_or_tune.data.index import read_index
from freeze_or_tune.records.advice import Advice, Check

from ..data.conftest import tarred
from ..data.downloads.hub import Dataset, Hub, Repository, hubbing
from .conftest import SOLVER, snakemake_in
from .test_named_networks import RESNET, network_of_timm

STUDY = {
    "name": "packed",
    "machine": {"device": "cpu"},
    "datasets": {"digits": {"reader": "digits"}, "birds": {"reader": "auto", "path": "hf://me/birds@v1"}},
    "networks": {"small": {"architecture": "timm", "name": "test_resnet", "image_size": 40}},
    "sources": {"imagenet": {"network": RESNET, "weights": "pretrained"}},
    "targets": {"birds": {"dataset": "birds", "source": "imagenet", "n": [5], "val": 2, "test": 2}},
    "schemes": ["T1-5_R6", "F1-5_R6"],
    "solver": SOLVER | {"method": "adamw", "learning_rate": 0.001, "min_iterations": 10, "max_iterations": 10},
    "distances": {"metrics": []},
}  # fmt: skip
CLASSES = ("robin", "owl")


def picture(label: int, number: int) -> bytes:
    """Stripes of one of two directions, no two alike."""
    random = np.random.default_rng([label, number])
    wave = np.mgrid[:40, :40][label]
    brightness = 0.5 + 0.5 * np.sin(wave / 3 + random.uniform(0, 6))
    buffer = io.BytesIO()
    Image.fromarray((brightness[..., None] * random.uniform(120, 255, 3)).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def shard(numbers: range) -> bytes:
    rows = [
        {"image": {"bytes": picture(label, number), "path": None}, "label": name}
        for number in numbers
        for label, name in enumerate(CLASSES)
    ]
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), buffer, row_group_size=10)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with hubbing() as hub, pytest.MonkeyPatch.context() as patch:
        state = {key: value.contiguous() for key, value in network_of_timm(RESNET).state_dict().items()}
        hub.repositories[f"timm/{RESNET}"] = Repository(save(state))
        hub.datasets["me/birds"] = Dataset(
            {
                "README.md": b"birds",
                "data/train-00000-of-00002.parquet": shard(range(8)),
                "data/train-00001-of-00002.parquet": shard(range(8, 16)),
                "data/test-00000-of-00001.parquet": shard(range(16, 22)),
            }
        )
        patch.setenv("HF_ENDPOINT", hub.endpoint)
        yield hub


@pytest.fixture(scope="module")
def folder(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    return folder


def checked(folder: Path, name: str, images: str) -> Check:
    done = snakemake_in(folder)("--config", f"images={images}", "--", f"results/advice/{name}/check.json")
    assert done.returncode == 0, done.stdout
    return Check.read(folder / f"results/advice/{name}/check.json")


@pytest.mark.slow
def test_advice_on_a_dataset_of_the_hub_by_its_name(folder: Path, hub: Hub) -> None:
    run = snakemake_in(folder)
    asked = ("--config", "images=hf://me/birds", "budget=0", "--", "results/advice/stripes.md")
    done = run(*asked)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("rule hub") == 1
    listed = read_index(folder / "results/indexes/stripes.csv")
    assert len(listed) == 44
    assert {(one.class_name, one.subset) for one in listed} == {
        (c, part) for c in CLASSES for part in ("train", "test")
    }
    said = "\n".join(str(finding) for finding in Advice.read(folder / "results/advice/stripes.json").check.findings)
    assert f"Images of hf://me/birds of the Hugging Face Hub, revision {40 * 'd'}: 44" in said
    hub.log.clear()
    again = run("--forcerun", "index", *asked)
    assert again.returncode == 0, again.stdout
    front = [sys.executable, "-m", "freeze_or_tune", "advise", "hf://datasets/me/birds", "--name", "stripes"]
    front += ["--budget", "0", "--study", "study.yaml"]
    said = subprocess.run(front, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert "freeze-or-tune model hf://" in said
    assert not [line for line in hub.log if "datasets" in line]


@pytest.mark.slow
def test_a_dataset_of_the_hub_is_one_of_a_study(folder: Path, hub: Hub) -> None:
    done = snakemake_in(folder)("--", "results/splits/birds/n5.csv")
    assert done.returncode == 0, done.stdout
    assert (folder / "resources/hub/me--birds@v1/data/test-00000-of-00001.parquet").exists()


@pytest.mark.slow
def test_local_files_are_read_alike_in_every_form(folder: Path) -> None:
    (folder / "table.parquet").write_bytes(shard(range(6)))
    files = {
        f"{number}{label}.{kind}": data
        for number in range(6)
        for label, name in enumerate(CLASSES)
        for kind, data in (("png", picture(label, number)), ("cls", name.encode()))
    }
    (folder / "tars").mkdir()
    tarred(folder / "tars/0.tar", files)
    counts = [
        (check.images, check.classes, check.used_images)
        for check in (checked(folder, "a", "table.parquet"), checked(folder, "b", "tars"))
    ]
    assert counts == [(12, 2, 12), (12, 2, 12)]


@pytest.mark.slow
def test_a_dataset_that_is_not_there_is_said_last(folder: Path) -> None:
    done = snakemake_in(folder)("--config", "images=hf://me/fish", "--", "results/advice/fish.md")
    assert done.returncode != 0
    assert "there is no dataset me/fish on http://127.0.0.1" in done.stdout[-1500:]
    refused = snakemake_in(folder)("--config", "images=hf://fish", "--", "results/advice/fish.md")
    assert "'hf://fish' is no dataset of the Hugging Face Hub; one is written hf://<owner>/<name>" in refused.stdout
