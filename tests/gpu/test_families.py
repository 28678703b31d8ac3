"""Every family of networks learns on the emulated GPU as it does on a CPU, whatever is frozen."""

from copy import deepcopy
from functools import cache, partial
from unittest import mock

import pytest
import timm
import torch
from torch import nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.device import prepare_device
from freeze_or_tune.training.images import Images
from freeze_or_tune.training.learners import Replicas
from freeze_or_tune.training.loop import Trained, train
from freeze_or_tune.training.prefix import Prefix
from tests.gpu.emulated import emulated_gpu
from tests.gpu.tensors import OnGpu
from tests.networks.zoo import FAMILIES, small, stirred

CLASSES = 3
SOLVER = Solver(
    batch=2, min_iterations=1, max_iterations=1, evaluations=1, views=1, learning_rate=1e-3, drops=(), copied_rate=1
)


@cache
def network(name: str, crop: int, blocks: int) -> Layered:
    """A network with few outputs of the layers that usually have 4096."""
    narrow = {"mlp_ratio": 1 / 256} if name == "vgg11_bn" else {}
    with mock.patch.object(timm, "create_model", partial(timm.create_model, **narrow)):
        made = stirred(small(name, crop, blocks=blocks), CLASSES)
    if name == "alexnet":
        torch.manual_seed(0)
        made.fc6, made.fc7, made.classifier = nn.Linear(9216, 16), nn.Linear(16, 16), nn.Linear(16, CLASSES)
    return made


def images(count: int, size: int, device: torch.device) -> Images:
    generator = torch.Generator().manual_seed(count)
    pixels = torch.randint(256, (count, size, size, 3), generator=generator, dtype=torch.uint8)
    return Images(pixels.to(device), (torch.arange(count) % CLASSES).to(device))


def learnt(name: str, crop: int, scheme: Scheme, device: torch.device) -> Trained:
    """A step, and a look at validation."""
    made = deepcopy(network(name, crop, scheme.blocks))
    frozen, made, size = deepcopy(made).eval().to(device), made.to(device), crop + 4
    preprocessing = Preprocessing(torch.full((size, size, 3), 128.0).to(device), crop, 1 / 64)
    prefix = Prefix(frozen, frozen.prefix(scheme.frozen), preprocessing, images(4, size, device), SOLVER.views, seed=3)
    val = prefix.held_out(images(3, size, device))
    (found,) = train(Replicas([made], scheme, SOLVER), scheme, SOLVER, prefix, val, 0).candidates
    return found


@pytest.mark.parametrize("kind", ["tuned", "frozen", "between"])
@pytest.mark.parametrize(("name", "crop", "blocks"), FAMILIES, ids=[name for name, _, _ in FAMILIES])
def test_a_family_learns_on_a_gpu_as_on_a_cpu(name: str, crop: int, blocks: int, kind: str) -> None:
    scheme = Scheme(blocks, blocks - 1, {"tuned": 0, "frozen": blocks - 2, "between": 2}[kind])
    on_cpu = learnt(name, crop, scheme, torch.device("cpu"))
    with emulated_gpu():
        on_gpu = learnt(name, crop, scheme, prepare_device(Machine(device="cuda"), 1))
    assert [point.loss for point in on_gpu.curve] == pytest.approx([point.loss for point in on_cpu.curve], rel=1e-4)
    assert on_gpu.val_accuracy == on_cpu.val_accuracy
    assert on_gpu.val_loss == pytest.approx(on_cpu.val_loss, rel=1e-3)
    for key, value in on_cpu.parameters.items():
        ours = on_gpu.parameters[key]
        assert isinstance(ours, OnGpu)
        torch.testing.assert_close(ours.host, value, rtol=1e-3, atol=1e-4, msg=key)
