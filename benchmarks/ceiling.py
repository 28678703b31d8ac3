"""How fast training could be at most: products of this machine, arithmetic of a network, batches in memory."""

import time
from collections.abc import Callable
from itertools import cycle
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.prepare import ROOT, Prepared
from freeze_or_tune.networks.caffenet import caffenet, initialise
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.stages.subsets import load_subsets
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Machine, TrainingSettings
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.batches import data_order
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.device import prepare_device
from freeze_or_tune.training.prefix import Prefix
from freeze_or_tune.training.solver import gradients_of, learnables, optimiser_of

THREADS = 2


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@torch.no_grad()
def machine_rate() -> float:
    """Floating-point operations a second in float32, the best of ten of a large matrix product and a convolution.

    They are two libraries', and on some processors only the second one uses the widest vectors.
    """
    a, b = torch.randn(2, 2048, 2048)
    layer = nn.Conv2d(256, 256, 3, padding=1, bias=False).to(memory_format=torch.channels_last)
    images = torch.randn(32, 256, 28, 28).to(memory_format=torch.channels_last)
    product = 2 * a.numel() * len(b) / min(seconds(lambda: a @ b) for _ in range(10))
    convolution = 2 * layer.weight.numel() * 32 * 28 * 28 / min(seconds(lambda: layer(images)) for _ in range(10))
    return max(product, convolution)


def forward_flops(network: Layered, crop: int) -> float:
    """Multiplications and additions of a forward pass of one image, in layers with weights."""
    total = 0.0

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        assert isinstance(layer.weight, Tensor)
        total += 2 * layer.weight.numel() * (output[0, 0].numel() if output.dim() == 4 else 1)

    hooks = [layer.register_forward_hook(count) for layer in network if hasattr(layer, "weight")]
    network(torch.zeros(1, 3, crop, crop))
    for hook in hooks:
        hook.remove()
    return total


def ceiling_rows(prepared: Prepared) -> list[tuple[object, ...]]:
    """For T1-7_R8 at both sizes: what is reached, of the products' ceiling and of batches that are ready."""
    prepare_device(Machine(device="cpu"), THREADS)
    rate = machine_rate()
    return [
        ("small, 64 px", *_reached(prepared, prepared.settings("greek", 10, "T1-7_R8"), rate, steps=20, blocks=40)),
        (
            "CaffeNet, 227 px",
            *_reached(prepared, prepared.settings("caffenet", 10, "T1-7_R8"), rate, steps=2, blocks=8),
        ),
    ]


def _reached(
    prepared: Prepared, settings: TrainingSettings, rate: float, steps: int, blocks: int
) -> tuple[float, ...]:  # fmt: skip
    sizes, target = settings.network, settings.target
    subsets = load_subsets(
        settings.split, ROOT / prepared.store(target), ROOT / prepared.split(target, settings.split.n),
        Cache(torch.device("cpu")),
    )  # fmt: skip
    mean = load_pretrained(ROOT / prepared.weights(settings.source)).mean
    network = caffenet(sizes, subsets.classes)
    initialise(network, sizes.filler, 0)
    network = network.to(memory_format=torch.channels_last)
    # Each layer but the first also needs the gradient of its input: backwards is about twice the work of forwards.
    flops = 3 * forward_flops(network, sizes.crop)
    parameters = learnables(network, Scheme.parse(settings.scheme), settings.solver)
    optimiser = optimiser_of(parameters, settings.solver, 10**6)
    prefix = Prefix(network, 0, Preprocessing(mean, sizes.crop, sizes.scale), subsets.train, 0, 0)
    order = data_order(len(subsets.train), settings.solver.batch, 10**6, seed=0)
    generator = torch.Generator()

    def batch() -> tuple[Tensor, Tensor]:
        indices, epochs = next(order)
        return prefix.batch(indices, epochs, generator), prefix.images.labels_of(indices)

    # Several: one batch alone would stay in the processor's caches, as no training images do.
    ready = cycle([batch() for _ in range(10)])

    def train(get: Callable[[], tuple[Tensor, Tensor]]) -> None:
        for _ in range(steps):
            inputs, labels = get()
            F.cross_entropy(network(inputs), labels).backward()
            optimiser.step(0, gradients_of(parameters))

    train(batch)
    pairs = [(seconds(lambda: train(batch)), seconds(lambda: train(lambda: next(ready)))) for _ in range(blocks)]
    reached = steps * settings.solver.batch / median(real for real, _ in pairs)
    synthetic = median(fake / real for real, fake in pairs)
    return rate / 1e9, flops / 1e6, rate / flops, reached, reached * flops / rate, synthetic
