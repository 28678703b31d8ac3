from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from freeze_or_tune.study.backbones import CaffeNet, TimmNetwork, network_of, usual_blocks
from freeze_or_tune.study.reading import load_study, read_study
from freeze_or_tune.system.errors import UserError

ROOT = Path(__file__).parents[2]
LITE = ROOT / "config/imagenet-lite.yaml"
RESNET = {"architecture": "timm", "name": "resnet50", "image_size": 256, "crop": 224}


@pytest.fixture
def config() -> dict[str, Any]:
    return yaml.safe_load(LITE.read_text())


# docs/networks.md's table.
@pytest.mark.parametrize(
    ("names", "blocks"),
    [
        (["alexnet", "vgg16", "vgg19_bn"], 8),
        (["resnet18", "resnet50.a1_in1k", "resnext50_32x4d", "wide_resnet50_2", "seresnet50"], 6),
        (["efficientnet_b0", "tf_efficientnet_b4", "tf_efficientnet_lite0"], 10),
        (["convnext_tiny", "convnextv2_atto", "swin_tiny_patch4_window7_224"], 6),
        (["vit_tiny_patch16_224", "vit_base_patch16_224.augreg_in1k", "deit_small_patch16_224"], 14),
        (["vit_large_patch16_224"], 26),
        (["mobilenetv2_100", "mobilenetv2_140.ra_in1k", "fbnetc_100"], 10),  # by timm's configuration
        (["efficientnetv2_rw_t", "mixnet_s.ft_in1k"], 9),
        (["resnetv2_50", "swinv2_tiny_window8_256", "mobilenetv2_075"], None),
    ],
)
def test_the_number_of_blocks_is_known_by_the_name(names: list[str], blocks: int | None) -> None:
    assert [usual_blocks(name) for name in names] == [blocks] * len(names)


def test_a_network_without_an_architecture_is_caffenet() -> None:
    sizes = {"channels": [4, 4, 4, 4, 4], "features": 8, "image_size": 64, "crop": 60}
    assert network_of(sizes) == network_of({**sizes, "architecture": "caffenet"}) == CaffeNet.model_validate(sizes)


def test_a_timm_network_is_its_own_settings_again() -> None:
    network = network_of(RESNET)
    assert isinstance(network, TimmNetwork)
    assert network.blocks == 6
    assert network_of(network.model_dump(mode="json")) == network
    assert network_of({**RESNET, "name": "mobilenetv2_075", "blocks": 10}).blocks == 10


MISTAKES = {
    "an unknown architecture": ({"architecture": "torchvision"}, ["architecture must be 'caffenet'", "'timm'"]),
    "blocks that nobody knows": ({"name": "mobilenetv2_075"}, ["'mobilenetv2_075'", "`blocks`"]),
    "a crop too large": ({"crop": 300}, ["crop 300", "256"]),
    "CaffeNet's key": ({"filler": "msra"}, ["unknown key 'filler'", "drop_path"]),
    "no name": ({"name": None}, ["name"]),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_named(config: dict[str, Any], kind: str) -> None:
    change, words = MISTAKES[kind]
    config["networks"]["efficientnet-lite0"] = {**RESNET, **change}
    with pytest.raises(UserError) as error:
        load_study(config)
    assert [word for word in ["networks.efficientnet-lite0", *words] if word not in str(error.value)] == []


def test_the_lite_studys_schemes_fit_its_network() -> None:
    study = read_study(LITE)
    assert study.network_of("imagenet").blocks == 10
    assert study.sources["imagenet"].dataset is None
    assert study.sources["imagenet"].n == ()
    assert {split.dataset for name in study.datasets for split in study.splits_of_dataset(name)} == set(study.datasets)
    assert set(study.used_datasets()) == set(study.datasets)
    assert study.images_of() == list(study.targets)
    with pytest.raises(UserError, match="the source imagenet has no dataset"):
        study.dataset_of("imagenet")


def test_metrics_that_need_the_sources_images_are_refused_without_them(config: dict[str, Any]) -> None:
    config["distances"]["metrics"] = ["cosine", "svm", "cnn"]
    with pytest.raises(UserError, match=r"svm, cnn cannot be measured from the source 'imagenet'.*ask for \[cosine\]"):
        load_study(config)
    config["datasets"]["photos"] = {"reader": "folder", "path": "photos"}
    config["sources"]["imagenet"].update(dataset="photos", sample=3)
    assert load_study(config).distances.metrics == ("cosine", "svm", "cnn")


def test_a_sample_without_a_dataset_makes_no_sense(config: dict[str, Any]) -> None:
    config["sources"]["imagenet"]["sample"] = 3
    with pytest.raises(UserError, match=r"sources\.imagenet: dataset is missing"):
        load_study(config)


def test_means_belong_to_caffenet(config: dict[str, Any]) -> None:
    config["sources"]["imagenet"]["weights"]["mean"] = "mean.npy"
    with pytest.raises(UserError, match=r"weights\.mean: only CaffeNet has one"):
        load_study(config)
    config["networks"]["efficientnet-lite0"] = {"channels": [4] * 5, "features": 8, "image_size": 64, "crop": 60}
    del config["sources"]["imagenet"]["weights"]["mean"]
    with pytest.raises(UserError, match=r"sources\.imagenet\.weights\.mean is missing"):
        load_study(config)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("densenet121", "resnet50"), ("mobilenetv3_large_100", "efficientnet_b0"), ("beit_base_patch16_224", "vit_base_")],
)
def test_families_that_cannot_be_cut_are_refused_by_name_with_the_nearest_that_can(name: str, nearest: str) -> None:
    for blocks in ({}, {"blocks": 6}):
        with pytest.raises(ValidationError, match=rf"'{name}' cannot be cut into .* '{nearest}.*' is the nearest"):
            TimmNetwork.model_validate({"architecture": "timm", "name": name, "image_size": 40, "crop": 32, **blocks})


def test_which_networks_tell_of_their_sources_features() -> None:
    def estimable(name: str) -> bool:
        given = {"architecture": "timm", "name": name, "image_size": 40, "crop": 32, "blocks": 9}
        return TimmNetwork.model_validate(given).estimable

    assert all(map(estimable, ("tf_efficientnet_lite2", "efficientnet_lite0", "mobilenetv2_100")))
    assert not any(map(estimable, ("efficientnet_b0", "resnet50", "vit_tiny_patch16_224")))
