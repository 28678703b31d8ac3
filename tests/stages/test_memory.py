import pytest
import torch

from freeze_or_tune.networks.build import build, outline
from freeze_or_tune.records.probes import Profile
from freeze_or_tune.stages.memory import activations_of, too_large
from freeze_or_tune.training.device import free_memory_mb
from tests.analysis.advice.own import profile
from tests.networks.zoo import small
from tests.stages.files import SIZES, settings


def sized(parameters: int, activations: int) -> Profile:
    return profile("s").model_copy(update={"parameters": parameters, "activations": activations})


def test_what_the_layers_leave_is_counted() -> None:
    """By hand: outputs of each layer of a small CaffeNet, as they come out."""
    network, view = build(SIZES, 3, 0).eval(), torch.zeros(1, 3, SIZES.crop, SIZES.crop)
    x, by_hand = view.clone(), 0
    for layer in network:
        x = layer(x)
        by_hand += x.numel()
    assert activations_of(network, view) == by_hand
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("name", ["caffenet", "resnet18", "convnext_atto"])
def test_shapes_alone_tell_the_same(name: str) -> None:
    sizes = SIZES if name == "caffenet" else small(name, 64)
    view = torch.zeros(1, 3, sizes.crop, sizes.crop)
    computed = activations_of(build(sizes, 3, 0).eval(), view)
    assert activations_of(outline(sizes, 3).eval(), view.to("meta")) == computed


def test_parameters_count_for_each_candidate_and_activations_for_each_image() -> None:
    tuned = settings("digits", "T1-7_R8")  # batches of 8, one candidate
    needed = 4 * (6 * 1_000_000 + 2 * 8 * 500_000) / 2**20
    assert too_large(sized(1_000_000, 500_000), tuned, needed + 1) == ""
    words = too_large(sized(1_000_000, 500_000), tuned, needed - 1)
    assert words.startswith(
        "T1-7_R8 of s takes some 0.1 GiB of memory for batches of 8 images, and 0.1 are free; lower "
    )
    assert too_large(sized(1_000_000, 500_000), settings("digits", "F1-7_R8"), 1) == ""


def test_this_machine_says_what_is_free() -> None:
    assert 100 < free_memory_mb(torch.device("cpu")) < 10_000_000
