import pytest
import torch
from torch import nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.system.errors import UserError

from .small import SMALL, crops, drawn

NUMBERED = {
    1: ["conv1", "pool1", "relu1", "norm1"],
    2: ["conv2", "pool2", "relu2", "norm2"],
    3: ["conv3", "relu3"],
    4: ["conv4", "relu4"],
    5: ["conv5", "pool5", "relu5", "flatten"],
    6: ["fc6", "relu6", "drop6"],
    7: ["fc7", "relu7", "drop7"],
    8: ["fc8"],
}
ORDER = [name for names in NUMBERED.values() for name in names]


def test_blocks_are_numbered_from_one() -> None:
    network = drawn()
    assert network.blocks == 8
    assert [name for name, _ in network.named_children()] == ORDER
    assert network.block_of == {name: block for block, names in NUMBERED.items() for name in names}
    assert [network.first_layer(block) for block in NUMBERED] == [ORDER.index(names[0]) for names in NUMBERED.values()]


@pytest.mark.parametrize("cut", range(len(ORDER) + 1))
def test_a_forward_pass_in_two_parts_is_the_whole(cut: int) -> None:
    network, inputs = drawn().eval(), crops()
    with torch.no_grad():
        whole = network(inputs.clone())
        assert torch.equal(network(network(inputs.clone(), stop=cut), start=cut), whole)
    assert whole.shape == (2, 40)


def test_a_part_runs_only_its_own_layers() -> None:
    network, ran = drawn(), []
    for name, layer in network.named_children():
        layer.register_forward_hook(lambda *_, name=name: ran.append(name))
    network(crops(), stop=3)
    assert ran == ["conv1", "pool1", "relu1"]
    ran.clear()
    network(torch.rand(2, 256), start=ORDER.index("relu7"))
    assert ran == ["relu7", "drop7", "fc8"]


@pytest.mark.parametrize(
    ("frozen", "dropout", "live", "first_after"),
    [
        (7, 0.5, True, "drop6"),  # F(1-7): random from the dropout of fc6 on
        (6, 0.5, True, "drop6"),
        (5, 0.5, True, "fc6"),
        (3, 0.5, True, "conv4"),
        (1, 0.5, True, "conv2"),
        (0, 0.5, True, "conv1"),  # T: nothing is frozen
        (7, 0.5, False, "fc8"),
        (5, 0.5, False, "fc6"),
        (0, 0.5, False, "conv1"),
        (7, 0.0, True, "fc8"),  # a dropout of nothing is deterministic
        (3, 0.0, True, "conv4"),
    ],
)
def test_the_prefix_ends_before_what_is_trained_or_random(
    frozen: int, dropout: float, live: bool, first_after: str
) -> None:
    network = drawn(SMALL.model_copy(update={"dropout": dropout}))
    assert network.prefix(frozen, live) == ORDER.index(first_after)


def test_a_wholly_frozen_network_is_all_prefix() -> None:
    assert drawn().prefix(8, live_dropout=False) == len(ORDER)


def test_the_prefix_is_as_long_as_it_can_be() -> None:
    network, inputs = drawn().train(), crops()
    cut = network.prefix(7)
    with torch.no_grad():
        assert torch.equal(network(inputs, stop=cut), network(inputs, stop=cut))
        assert not torch.equal(network(inputs, stop=cut + 1), network(inputs, stop=cut + 1))


def test_parameters_of_blocks() -> None:
    network = drawn()
    assert [name for name, _ in network.parameters_of(range(5, 7))] == [
        "conv5.weight", "conv5.bias", "fc6.weight", "fc6.bias"
    ]  # fmt: skip
    assert dict(network.parameters_of(range(8, 9)))["fc8.bias"] is network.fc8.bias
    assert list(network.parameters_of(range(0))) == []
    assert dict(network.parameters_of(range(1, 9))) == dict(network.named_parameters())


def test_statistics_can_be_kept_only_where_there_are_some() -> None:
    network = drawn()
    with pytest.raises(UserError, match="blocks 3 to 7 have no batch norms: leave out the scheme's variant n"):
        network.freeze(2, 7)
    network.freeze(2, 2)


def test_vectors_are_biases_and_norms() -> None:
    network = Layered(
        [
            {"conv": nn.Conv2d(3, 4, 1, bias=False), "bn": nn.BatchNorm2d(4), "act": nn.ReLU()},
            {"tokens": nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.GroupNorm(2, 4))},
            {"classifier": nn.Linear(4, 2)},
        ]
    )
    norms = {f"{layer}.{kind}" for layer in ("bn", "tokens.1", "tokens.2") for kind in ("weight", "bias")}
    assert network.vectors() == norms | {"tokens.0.bias", "classifier.bias"}


def test_features_are_what_the_classifier_gets() -> None:
    network, inputs, seen = drawn().eval(), crops(), []
    network.fc8.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    with torch.no_grad():
        network(inputs)
        features = network.features(inputs)
    assert torch.equal(features, seen[0])
    assert features.shape == (2, 256)
    assert features.min() == 0  # after the ReLU
    assert features.max() > 0
