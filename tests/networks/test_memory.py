from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch.distributed._tools.mem_tracker import MemTracker

from freeze_or_tune.networks.build import build, outline
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.memory import WORKSPACE, chunk_of, peak_bytes, tuning_bytes
from freeze_or_tune.study.backbones import TimmNetwork

from .small import SMALL
from .zoo import CLASSES, FAMILIES, small

GIB = 2**30
SIZES = {name: small(name, crop) for name, crop, _ in FAMILIES} | {"caffenet": SMALL.model_copy(update={"dropout": 0})}


def full(name: str) -> TimmNetwork:
    return small(name, 224)


def step(network: Layered, crop: int, device: str) -> Callable[[], object]:
    """A forward and a backward pass of six images."""
    views, labels = torch.zeros(6, 3, crop, crop, device=device), torch.zeros(6, dtype=torch.int64, device=device)
    return lambda: F.cross_entropy(network(views), labels).backward()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in {"alexnet", "vgg11_bn"} else ()) for name in SIZES]
)
def test_an_outline_is_the_network_without_values(name: str) -> None:
    found, built = outline(SIZES[name], CLASSES), build(SIZES[name], CLASSES, 0)
    assert {value.device.type for value in found.state_dict().values()} == {"meta"}
    shapes = [{key: value.shape for key, value in one.state_dict().items()} for one in (found, built)]
    assert shapes[0] == shapes[1]
    assert found.block_of == built.block_of


def test_memory_is_counted_while_somebody_has_it() -> None:
    x = torch.empty(100)  # 400 bytes, from before

    def compute() -> None:
        y = x + 1  # 400
        y.view(10, 10).mul_(2)
        z = torch.cat([y, y])  # 1200
        del y  # 800
        z[:50].exp().sum()  # 1000, 1004

    assert peak_bytes(compute) == 1200


@pytest.mark.slow
@pytest.mark.parametrize("name", ["caffenet", "resnet18", "convnext_atto", "vit_tiny_patch16_224"])
def test_a_step_has_the_peak_that_torchs_tracker_measures(name: str) -> None:
    """On real tensors; shapes alone tell the same, but for the layers that are others on a CPU."""
    crop, network = SIZES[name].crop, build(SIZES[name], CLASSES, 0).train()
    tracker = MemTracker()
    tracker.track_external(network)
    with tracker:
        step(network, crop, "cpu")()
    inputs = 6 * (3 * crop**2 * 4 + 8)
    total = tracker.get_tracker_snapshot("peak")[torch.device("cpu")]["Total"]
    before = sum(value.untyped_storage().nbytes() for value in network.state_dict().values())
    network.zero_grad()
    measured = peak_bytes(step(network, crop, "cpu"))
    assert measured + inputs == total - before
    assert peak_bytes(step(outline(SIZES[name], CLASSES).train(), crop, "meta")) == pytest.approx(measured, rel=0.02)


# Numbers that an image leaves in VGG-19's convolutions, from the table of Simonyan and Zisserman 2015.
VGG19 = 2 * 64 * 224**2 + 2 * 128 * 112**2 + 4 * 256 * 56**2 + 4 * 512 * 28**2 + 4 * 512 * 14**2
# What a block of ViT-B keeps of a token, Dosovitskiy et al. 2021: two norms and their inputs; queries, keys, values;
# what attention gives; a hidden layer of 4 x 768 and its GELU; and of 12 heads its row of a matrix of 197 tokens.
VIT = 12 * 197 * (16 * 768 + 12 * 197)
T4 = 14.5 * GIB
"""What is free of its 15 GB."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters", "kept"),
    [
        # Batch norm keeps its inputs, what follows its outputs.
        ("vgg19_bn", 143_678_248, 2 * VGG19),
        ("vit_base_patch16_224", 86_567_656, VIT),
    ],
)
def test_what_large_networks_need_for_batches_of_50(name: str, parameters: int, kept: int) -> None:
    needed = tuning_bytes(full(name), 1000, 50)
    least = WORKSPACE + 4 * (7 * parameters + 50 * kept)
    assert least < needed < 1.25 * least
    assert needed < T4


@pytest.mark.slow
def test_a_network_that_a_gpu_has_no_room_for() -> None:
    assert tuning_bytes(full("convnext_base"), 1000, 50) > T4 > tuning_bytes(full("convnext_base"), 1000, 40)


def test_frozen_blocks_and_candidates_count() -> None:
    network, parameters = full("resnet18"), 11_689_512
    whole, upper, classifier = (tuning_bytes(network, 1000, 50, blocks) for blocks in (0, 4, 5))
    assert WORKSPACE + 4 * 2 * parameters < classifier < upper < 0.7 * whole
    assert classifier < WORKSPACE + 1.25 * 4 * 2 * parameters
    three = tuning_bytes(network, 1000, 50, candidates=3)
    assert three - whole == pytest.approx(1.1 * 2 * 5 * 4 * parameters, rel=0.01)
    twice = tuning_bytes(network, 1000, 100) - whole
    assert twice == pytest.approx(tuning_bytes(network, 1000, 150) - tuning_bytes(network, 1000, 100), rel=0.01)


def test_images_at_once_are_those_whose_largest_layers_fit() -> None:
    # The crop itself, and the second convolution with its input.
    each = 4 * (3 + 2 * 64) * 224**2
    for room in (GIB, 10 * GIB):
        assert chunk_of(full("vgg19_bn"), room) == int(room / (1.1 * each))
    assert chunk_of(full("vgg19_bn"), 1) == 1
