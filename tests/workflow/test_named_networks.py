"""Networks by timm's names, their weights from a server that answers as the Hub does, to outputs and advice."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
import yaml
from safetensors.torch import save

from freeze_or_tune.networks.build import build
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.records.imported import ImportedNetwork
from freeze_or_tune.records.model import Model
from freeze_or_tune.study.reading import read_study

from ..data.downloads.hub import Hub, Repository, hubbing
from ..networks.zoo import stir
from .conftest import ROOT, SOLVER, draw_stripes, snakemake_in

RESNET, EFFICIENTNET = "test_resnet.r160_in1k", "test_efficientnet.r160_in1k"
STUDY = {
    "name": "named",
    "machine": {"device": "cpu"},
    "datasets": {"stripes": {"reader": "folder", "path": "photos"}},
    "networks": {"small": {"architecture": "timm", "name": "test_resnet", "image_size": 40}},
    "sources": {
        "imagenet": {"network": RESNET, "weights": "pretrained"},
        "smaller": {"network": "small", "weights": "pretrained"},
    },
    "targets": {"stripes": {"dataset": "stripes", "source": "imagenet", "n": [5], "val": 5, "test": 10}},
    "schemes": ["T1-5_R6", "F1-5_R6"],
    "solver": SOLVER | {"method": "adamw", "learning_rate": 0.001, "min_iterations": 10, "max_iterations": 10},
    "distances": {"metrics": []},
}  # fmt: skip
NETWORKS = ["results/networks/imagenet.json", "results/networks/smaller.json"]


def network_of_timm(name: str) -> torch.nn.Module:
    """timm's own, with values that let no layer hide."""
    torch.manual_seed(0)
    model = timm.create_model(name)
    stir(model)
    return model.eval()


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """The Hub, as far as everything that is started here knows."""
    with hubbing() as hub:
        for name in (RESNET, EFFICIENTNET):
            state = {key: value.contiguous() for key, value in network_of_timm(name).state_dict().items()}
            hub.repositories[f"timm/{name}"] = Repository(save(state))
        before = os.environ.get("HF_ENDPOINT")
        os.environ["HF_ENDPOINT"] = hub.endpoint
        yield hub
        if before is None:
            del os.environ["HF_ENDPOINT"]
        else:
            os.environ["HF_ENDPOINT"] = before


@pytest.fixture(scope="module")
def folder(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("named networks")
    draw_stripes(folder / "photos")
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    done = snakemake_in(folder)(*NETWORKS)
    assert done.returncode == 0, done.stdout
    assert f"test_resnet stands for {RESNET}, timm's default" in done.stdout
    return folder


def test_the_imported_network_gives_timms_own_outputs(folder: Path) -> None:
    study, model = read_study(folder / "study.yaml"), network_of_timm(RESNET)
    images = torch.rand(2, 3, 160, 160)
    for source in ("imagenet", "smaller"):
        pretrained = load_pretrained(folder / f"results/networks/{source}.safetensors")
        network = build(study.network_of(source), pretrained.classes, seed=1).eval()
        pretrained.copy_to(network, range(1, 7))
        with torch.no_grad():
            torch.testing.assert_close(network(images), model(images))
        mean = torch.tensor(model.pretrained_cfg["mean"]) * 255
        torch.testing.assert_close(pretrained.mean[0, 0], mean)
    assert [study.network_of(source).name for source in study.sources] == [RESNET, RESNET]
    sizes = [(study.network_of(source).image_size, study.network_of(source).crop) for source in study.sources]
    assert sizes == [(168, 160), (40, 38)]


def test_the_record_names_repository_revision_and_digest(folder: Path, hub: Hub) -> None:
    record, served = ImportedNetwork.read(folder / NETWORKS[0]), hub.repositories[f"timm/{RESNET}"]
    assert (record.weights.address, record.weights.revision) == (f"{hub.endpoint}/timm/{RESNET}", served.revision)
    assert (record.weights.sha256, record.weights.licence) == (served.digest, "apache-2.0")
    assert (record.classes, record.format) == (1000, "safetensors")
    assert ImportedNetwork.read(folder / NETWORKS[1]).weights == record.weights
    assert hub.log.count(f"GET /lfs/{served.digest}") == 1


@pytest.mark.slow
def test_advice_on_ones_own_images_with_a_network_by_its_name(folder: Path, hub: Hub) -> None:
    """In a study that has other sources and other networks."""
    command = ("--config", "images=photos", "network=test_efficientnet", "budget=0", "--")
    wanted = ("results/advice/birds.md", "results/advice/birds/model.safetensors")
    done = snakemake_in(folder)(*command, *wanted)
    assert done.returncode == 0, done.stdout
    assert f"test_efficientnet stands for {EFFICIENTNET}, timm's default" in done.stdout
    assert done.stdout.count("rule download") == 1
    advice = Advice.read(folder / "results/advice/birds.json")
    assert (advice.source, len(advice.profiles), len(advice.profiles[0].blocks)) == (EFFICIENTNET, 1, 7)
    assert "--network test_efficientnet" in (folder / wanted[0]).read_text()
    model = Model.read(folder / "results/advice/birds/model.json")
    assert model.experiment.settings.network.name == EFFICIENTNET  # type: ignore[union-attr]
    weights = folder / f"resources/downloads/{EFFICIENTNET}/model.safetensors"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == hub.repositories[f"timm/{EFFICIENTNET}"].digest


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (
            "resnett50",
            ["timm has no 'resnett50' with weights that can be cut into blocks; the nearest are", "resnet50"],
        ),
        ("densenet121", ["'densenet121' cannot be cut into the blocks", "'resnet50' is the nearest"]),
        ("caffenet-small", ["pretrained are timm's networks; name the files of CaffeNet's weights"]),
    ],
)
def test_a_network_that_cannot_be_is_refused_before_anything_runs(
    folder: Path, hub: Hub, network: str, words: list[str]
) -> None:
    asked = len(hub.log)
    run = snakemake_in(folder, study=ROOT / "config/config.yaml")
    done = run("--config", "images=photos", f"network={network}", "--", "results/advice/birds.md")
    assert done.returncode != 0
    assert [word for word in words if word not in done.stdout] == [], done.stdout
    assert "Traceback" not in done.stdout
    assert "Job stats" not in done.stdout
    assert len(hub.log) == asked


def test_what_is_not_on_the_hub_is_said_with_the_way_round(folder: Path, hub: Hub) -> None:
    """A name that timm knows, but of which this server has nothing."""
    run = snakemake_in(folder, study=ROOT / "config/config.yaml")
    done = run("--config", "network=resnet18.a1_in1k", "--", "results/networks/resnet18.a1_in1k.json")
    assert done.returncode != 0
    assert "there is no timm/resnet18.a1_in1k, or it is private" in done.stdout
    assert f"visit   {hub.endpoint}/timm/resnet18.a1_in1k" in done.stdout
    assert "folder  resources/manual/resnet18.a1_in1k" in done.stdout
    assert not list((folder / "resources/downloads/resnet18.a1_in1k").glob("*"))
