"""timm's networks by name, as a study calls them, before timm is imported."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from freeze_or_tune.study import named
from freeze_or_tune.study.backbones import TimmNetwork
from freeze_or_tune.study.reading import load_study
from freeze_or_tune.study.study import Study
from freeze_or_tune.system.errors import UserError

ROOT = Path(__file__).parents[2]
RESNET = "resnet50.a1_in1k"
FILE = f"resources/downloads/{RESNET}/model.safetensors"


@pytest.fixture
def config() -> dict[str, Any]:
    """The lite study; its schemes are of ten blocks."""
    config = yaml.safe_load((ROOT / "config/imagenet-lite.yaml").read_text())
    config["distances"]["metrics"] = []
    return config


def with_source(config: dict[str, Any], network: str, **source: Any) -> Study:
    return load_study({**config, "sources": config["sources"] | {"mine": {"network": network, **source}}})


def network_of(study: Study, source: str = "mine") -> TimmNetwork:
    network = study.network_of(source)
    assert isinstance(network, TimmNetwork)
    return network


def test_the_table_is_small_and_read_only_when_a_study_has_a_name() -> None:
    assert named.TABLE.stat().st_size < 150_000
    code = (
        "import sys; from freeze_or_tune.study import named, reading; reading.read_study(sys.argv[1]);"
        "print(named.table.cache_info().misses, 'timm' in sys.modules, 'huggingface_hub' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, ROOT / "config/config.yaml"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "0 False False\n"


@pytest.mark.parametrize(
    ("name", "full", "size", "crop"),
    [
        (RESNET, RESNET, 235, 224),  # timm: 224 / 0.95
        ("resnet50", RESNET, 235, 224),
        ("resnet50.tv_in1k", "resnet50.tv_in1k", 256, 224),
        ("vit_small_patch14_dinov2", "vit_small_patch14_dinov2.lvd142m", 518, 518),
    ],
)
def test_a_name_alone_is_a_source_with_timms_weights(
    config: dict[str, Any], name: str, full: str, size: int, crop: int
) -> None:
    study = with_source(config, name, weights="pretrained")
    network = network_of(study)
    assert (network.name, network.image_size, network.crop) == (full, size, crop)
    assert study.imported()["mine"].file == f"resources/downloads/{full}/model.safetensors"
    assert study.assumed == ({} if name == full else {name: full})
    assert study.imported()["imagenet"].by_order
    assert load_study(study.model_dump(mode="json")) == study


def test_a_network_of_the_study_comes_before_timms(config: dict[str, Any]) -> None:
    config["networks"][RESNET] = {"architecture": "timm", "name": "resnet18", "image_size": 40}
    study = with_source(config, RESNET, weights="pretrained")
    network = network_of(study)
    assert (network.name, network.image_size, network.crop) == ("resnet18.a1_in1k", 40, 38)
    assert study.assumed == {"resnet18": "resnet18.a1_in1k"}


def test_a_name_goes_with_files_and_pretraining_too(config: dict[str, Any]) -> None:
    study = with_source(config, RESNET, weights={"file": "mine.pth"})
    assert study.imported()["mine"].file == "mine.pth"
    pretraining = {"n": 5, "val": 2, "test": 2}
    study = with_source(config, "resnet50", dataset="digits", pretraining=pretraining)
    assert network_of(study).name == "resnet50"
    assert "mine" not in study.imported()


def test_sizes_that_are_given_stay(config: dict[str, Any]) -> None:
    given = {"architecture": "timm", "name": RESNET}
    sizes = [TimmNetwork.model_validate(given | size) for size in ({"crop": 95}, {"image_size": 200, "crop": 120})]
    assert [(one.image_size, one.crop) for one in sizes] == [(100, 95), (200, 120)]


def test_one_network_alone_for_ones_own_images(config: dict[str, Any]) -> None:
    config["advice"] = {"margin": 0.1}
    study = load_study({**config, "network": "resnet50"})
    assert study.advised_sources() == (RESNET,)
    assert study.advice.margin == 0.1
    assert {settings.network.name for settings in study.adaptations("digits")} == {RESNET}  # type: ignore[union-attr]
    assert study.imported()[RESNET].file == FILE
    assert list(study.sources) == [RESNET, "imagenet"]
    # A source of the study; a network of it.
    assert load_study({**config, "network": "imagenet"}).sources.keys() == {"imagenet"}
    config["networks"]["small"] = {"architecture": "timm", "name": "resnet50", "crop": 64}
    assert network_of(load_study({**config, "network": "small"}), "small").crop == 64


WRONG = {
    "a misspelt name": ("resnett50", "sources.mine.network: 'resnett50' is not one of .* nearest are .*resnet50"),
    "a misspelt tag": ("resnet50.a1_in2k", "timm has no 'resnet50.a1_in2k' .* nearest are resnet50.a1_in1k"),
    "a family that is not cut": ("densenet121", "'densenet121' cannot be cut .* 'resnet50' is the nearest"),
    "nothing like it": ("zzz", "timm has no 'zzz' with weights that can be cut into blocks$"),
    "torchvision's": ("alexnet", "timm has no 'alexnet'"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_name_that_is_none_is_refused_with_the_nearest(config: dict[str, Any], kind: str) -> None:
    name, words = WRONG[kind]
    with pytest.raises(UserError, match=words):
        with_source(config, name, weights="pretrained")


def test_what_has_no_weights_of_its_own_is_refused(config: dict[str, Any]) -> None:
    config["networks"]["alexnet"] = {"architecture": "timm", "name": "alexnet", "image_size": 64, "crop": 60}
    config["networks"]["caffe"] = {"channels": [4] * 5, "features": 8, "image_size": 64, "crop": 60}
    with pytest.raises(UserError, match=r"sources\.mine\.weights: timm has no 'alexnet' .*name a file of its weights"):
        with_source(config, "alexnet", weights="pretrained")
    with pytest.raises(UserError, match=r"pretrained are timm's networks; name the files of CaffeNet's weights"):
        with_source(config, "caffe", weights="pretrained")
    with pytest.raises(UserError, match=r"sources\.mine\.weights: weights are `pretrained` .* or files"):
        with_source(config, RESNET, weights="pre-trained")
    with pytest.raises(UserError, match=r"networks\.mine\.timm: image_size and crop are missing, .* 'resnett50'"):
        load_study({**config, "networks": config["networks"] | {"mine": {"architecture": "timm", "name": "resnett50"}}})
