from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.weights import Pretrained, load_pretrained, load_source, save_pretrained
from freeze_or_tune.system.errors import UserError

from .small import drawn

MEAN = torch.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3)


def source(network: Layered) -> Pretrained:
    return Pretrained(dict(network.named_parameters()), MEAN.flip(-1))  # as training leaves it: a view, with gradients


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_pretrained(source(drawn()), tmp_path / "source.safetensors")
    return tmp_path / "source.safetensors"


def test_others_may_read_what_they_may_read_of_other_files(saved: Path) -> None:
    ordinary = saved.with_name("ordinary")
    ordinary.touch()
    assert saved.stat().st_mode == ordinary.stat().st_mode


def test_round_trip(tmp_path: Path) -> None:
    network = drawn(classes=11).to(memory_format=torch.channels_last)
    path = tmp_path / "new" / "source.safetensors"
    save_pretrained(source(network), path)
    read = load_pretrained(str(path))
    assert set(read.parameters) == set(dict(network.named_parameters()))
    assert all(torch.equal(read.parameters[name], p) for name, p in network.named_parameters())
    assert torch.equal(read.mean, MEAN.flip(-1))
    assert read.classes == 11
    assert [file.name for file in path.parent.iterdir()] == ["source.safetensors"]


@pytest.mark.parametrize("kept", [0, 7, 100, 5000, -1])
def test_a_damaged_file(saved: Path, kept: int) -> None:
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"source\.safetensors is not a complete network of this project \(.*\)$"):
        load_pretrained(saved)


def test_a_damaged_source_may_be_deleted_because_a_rule_made_it(saved: Path) -> None:
    assert load_source(saved).classes == load_pretrained(saved).classes
    saved.write_bytes(saved.read_bytes()[:100])
    with pytest.raises(UserError, match=r"is not a complete network .*; delete it and run snakemake again$"):
        load_source(saved)


def test_a_file_without_the_mean(saved: Path) -> None:
    tensors = load_file(saved)
    del tensors["mean"]
    save_file(tensors, saved)
    with pytest.raises(UserError, match=r"not a complete network of this project .*mean"):
        load_pretrained(saved)


@pytest.mark.parametrize("copied", [1, 3, 7])
def test_only_the_blocks_asked_for_are_copied(saved: Path, copied: int) -> None:
    network, before = drawn(classes=5, seed=1), drawn(classes=5, seed=1).state_dict()
    pretrained = load_pretrained(saved)
    pretrained.copy_to(network, range(1, copied + 1))
    for name, parameter in network.named_parameters():
        expected = pretrained.parameters if network.block_of[name.split(".")[0]] <= copied else before
        assert torch.equal(parameter, expected[name]), name


def test_copies_are_copies(saved: Path) -> None:
    pretrained, network = load_pretrained(saved), drawn(seed=1)
    pretrained.copy_to(network, range(1, 8))
    assert network.conv1.weight.requires_grad
    before = pretrained.parameters["conv1.weight"].clone()
    with torch.no_grad():
        network.conv1.weight.add_(1)
    assert torch.equal(pretrained.parameters["conv1.weight"], before)


def test_blocks_of_another_shape(saved: Path) -> None:
    with pytest.raises(ValueError, match=r"fc8\.weight: expected shape \(5, 256\), the weights have \(40, 256\)"):
        load_pretrained(saved).copy_to(drawn(classes=5), range(1, 9))


def test_a_missing_block(saved: Path) -> None:
    pretrained = load_pretrained(saved)
    del pretrained.parameters["conv3.bias"]
    with pytest.raises(ValueError, match=r"conv3\.bias: expected shape \(96,\), the weights have nothing"):
        pretrained.copy_to(drawn(), range(1, 4))
