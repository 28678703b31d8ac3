from dataclasses import dataclass

import pytest
import torch

from freeze_or_tune.networks.build import build, own_mean, scale_of
from freeze_or_tune.networks.families import blocks_of
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.zoo import network_of_timm, timm_network
from freeze_or_tune.system.errors import UserError

from .small import crops
from .zoo import CLASSES, FAMILIES, small, stir


@dataclass(frozen=True)
class Case:
    """A family's network as blocks, and what the network itself, uncut, made of two crops."""

    name: str
    blocks: int
    layered: Layered
    crops: torch.Tensor
    logits: torch.Tensor
    inputs_of_the_classifier: torch.Tensor
    shapes: dict[str, torch.Size]


LARGE = {"alexnet", "vgg11_bn"}  # in memory: their fully connected layers


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(family, id=family[0], marks=pytest.mark.slow if family[0] in LARGE else ()) for family in FAMILIES
    ],
)
def case(request: pytest.FixtureRequest) -> Case:
    name, crop, blocks = request.param
    seen: list[torch.Tensor] = []
    network, inputs = network_of_timm(small(name, crop), CLASSES, 3).eval(), crops(2, crop)
    stir(network)
    classifier = network.classifier[-1] if name == "alexnet" else network.get_classifier()
    hook = classifier.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    with torch.no_grad():
        logits = network(inputs)
    hook.remove()
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    return Case(name, blocks, Layered(blocks_of(network)).eval(), inputs, logits, seen[0], shapes)


def test_the_blocks_are_the_network(case: Case) -> None:
    with torch.no_grad():
        torch.testing.assert_close(case.layered(case.crops), case.logits, rtol=1e-5, atol=1e-6)
    assert case.logits.shape == (2, CLASSES)
    assert not torch.allclose(case.logits[0], case.logits[1], rtol=1e-2)
    ours = [value.shape for value in case.layered.state_dict().values()]
    assert sorted(ours) == sorted(case.shapes.values())


def test_blocks_are_as_many_as_the_name_tells(case: Case) -> None:
    assert case.layered.blocks == case.blocks == small(case.name, 64).blocks
    for block in range(1, case.blocks + 1):
        assert dict(case.layered.parameters_of(range(block, block + 1)))
    assert set(case.layered.state_of(range(1, case.blocks + 1))) == set(case.layered.state_dict())


@pytest.mark.slow
def test_every_cut_is_the_whole(case: Case) -> None:
    with torch.no_grad():
        whole = case.layered(case.crops.clone())
        for block in (2, case.blocks - 2, case.blocks):
            cut = case.layered.first_layer(block)
            kept = case.layered(case.crops.clone(), stop=cut)
            before = kept.clone()
            assert torch.equal(case.layered(kept, start=cut), whole)
            assert torch.equal(kept, before), f"block {block} changes what a cache holds"


def test_features_are_what_the_classifier_gets(case: Case) -> None:
    with torch.no_grad():
        features = case.layered.features(case.crops)
    torch.testing.assert_close(features, case.inputs_of_the_classifier, rtol=1e-5, atol=1e-6)
    assert features.shape == (2, case.layered.classifier.in_features)
    assert [name for name, block in case.layered.block_of.items() if block == case.blocks] == ["classifier"]


CHANNELS = {
    "alexnet": [64, 192, 384, 256, 9216, 4096, 4096],
    "vgg11_bn": [64, 128, 256, 512, 512, 4096, 4096],
    "resnet18": [64, 64, 128, 256, 512],
    "tf_efficientnet_lite0": [32, 16, 24, 40, 80, 112, 192, 320, 1280],
    "convnext_atto": [40, 40, 80, 160, 320],
    "vit_tiny_patch16_224": [192] * 13,
    "swin_tiny_patch4_window7_224": [96, 96, 192, 384, 768],
}


def test_what_each_block_gives_is_pooled_to_its_channels(case: Case) -> None:
    layered = timm_network(small(case.name, case.crops.shape[-1]), CLASSES, 3)
    layered.load_state_dict(case.layered.state_dict())
    with torch.no_grad():
        pooled, whole = layered.eval().pooled(case.crops), case.layered.features(case.crops)
        second = case.layered(case.crops, stop=case.layered.first_layer(3))
    assert len(pooled) == case.blocks - 1
    if case.name in CHANNELS:  # of a family that somebody has just added, what follows must do
        assert [value.shape for value in pooled] == [(2, channels) for channels in CHANNELS[case.name]]
    torch.testing.assert_close(pooled[-1], whole)
    last = case.name.startswith(("vit", "swin"))
    places = second.flatten(1, -2).mean(1) if last else second.flatten(2).mean(2)
    torch.testing.assert_close(pooled[1], places)


def test_the_prefix_of_a_network_without_dropout_is_all_that_is_frozen(case: Case) -> None:
    assert [case.layered.prefix(block) for block in range(case.blocks)] == [
        case.layered.first_layer(block + 1) for block in range(case.blocks)
    ]


def test_a_family_that_is_built_in_another_way_is_refused() -> None:
    settings = small("resnet18", 40).model_copy(update={"name": "densenet121"})
    with pytest.raises(UserError, match="densenet121 is of a family that cannot be cut into blocks"):
        timm_network(settings, CLASSES, 0)


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224"])
def test_random_weights_are_those_of_the_seed_and_leave_torchs_generator_alone(name: str) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (build(small(name, 64), CLASSES, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["classifier.weight"], other["classifier.weight"])


@pytest.mark.parametrize(
    ("options", "first_after"),
    [
        ({}, "classifier"),  # nothing is drawn: all that is frozen can be cached
        ({"dropout": 0.3}, "drop"),
        ({"drop_path": 0.2}, "layer1"),  # its second residual block is left out now and then
    ],
)
def test_the_prefix_ends_before_what_is_drawn(options: dict[str, float], first_after: str) -> None:
    layered = timm_network(small("resnet18", 40, **options), CLASSES, 3)
    names = [name for name, _ in layered.named_children()]
    assert names[layered.prefix(5)] == first_after
    assert names[layered.prefix(3)] == (first_after if first_after == "layer1" else "layer3")
    assert names[layered.prefix(5, live_dropout=False)] == "classifier"


def test_batch_norm_keeps_its_statistics_in_frozen_blocks_only() -> None:
    layered = timm_network(small("resnet18", 40, dropout=0.5), CLASSES, 3)
    layered.freeze(5)
    layered.train()
    assert not layered.bn1.training
    assert not layered.layer4[1].bn2.training
    assert layered.drop.training  # Caffe's dropout stays live where the rate is 0
    layered.freeze(1)
    layered.train()
    assert not layered.bn1.training
    assert layered.layer1[0].bn1.training
    assert not any(module.training for module in layered.eval().modules())


def test_the_normalisation_is_the_networks_own_or_the_studys() -> None:
    network = small("resnet18", 40)
    mean, scale = own_mean(network), scale_of(network, torch.device("cpu"))
    assert mean.shape == (44, 44, 3)
    # ImageNet's, red first.
    assert mean[3, 5].tolist() == pytest.approx([123.675, 116.28, 103.53])
    assert (1 / scale).tolist() == pytest.approx([58.395, 57.12, 57.375])
    lite = network.model_copy(update={"mean": (127.0, 127.0, 127.0), "deviation": (128.0, 128.0, 128.0)})
    assert own_mean(lite)[0, 0].tolist() == [127, 127, 127]
    assert scale_of(lite, torch.device("cpu")).tolist() == [1 / 128] * 3


@pytest.mark.parametrize(
    ("name", "blocks", "words"),
    [
        ("vit_tinny", 6, ["no network 'vit_tinny'", "similar names are", "vit_tiny"]),
        ("resnet50.nobody", 6, ["no network 'resnet50.nobody'"]),
        ("cspresnet50", 8, ["CspNet cannot be cut", "ResNet"]),
        ("resnet18", 5, ["resnet18 has 6 blocks, not 5", "blocks: 6"]),
    ],
)
def test_networks_that_cannot_be(name: str, blocks: int, words: list[str]) -> None:
    with pytest.raises(UserError) as error:
        build(small(name, 64, blocks=blocks), CLASSES, 0)
    assert [word for word in words if word not in str(error.value)] == []
