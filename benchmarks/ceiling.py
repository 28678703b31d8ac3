"""How fast training could be at most: matrix products of this machine, arithmetic of a network, batches in memory."""

import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.prepare import ROOT, Prepared
from freeze_or_tune.networks.caffenet import caffenet, initialise
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.schemes import Scheme
from freeze_or_tune.settings import Network
from freeze_or_tune.subsets import load_subsets
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.device import prepare_device
from freeze_or_tune.training.loop import data_order
from freeze_or_tune.training.prefix import Prefix
from freeze_or_tune.training.solver import StepSGD

THREADS = 2


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def gemm_rate(size: int = 2048) -> float:
    """Floating-point operations a second of a large float32 matrix product, the best of ten."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    return 2 * size**3 / min(seconds(lambda: a @ b) for _ in range(10))


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
    """For T1-7_R8 at both sizes: what is reached, of the matrix products' ceiling and of batches that are ready."""
    device = prepare_device("cpu", THREADS)
    rate = gemm_rate()
    rows = []
    for target, n, steps, blocks in (("greek", 10, 20, 8), ("caffenet", 10, 2, 3)):
        settings = prepared.settings(target, n, "T1-7_R8")
        sizes = settings.network
        subsets = load_subsets(settings.split, ROOT / prepared.store(target), ROOT / prepared.split(target, n),
                               Cache(device))  # fmt: skip
        mean = load_pretrained(ROOT / prepared.weights(settings.source)).mean
        network = _network(sizes, subsets.classes)
        # Each layer but the first also needs the gradient of its input: backwards is twice the work of forwards.
        flops = 3 * forward_flops(network, sizes.crop)
        optimiser = StepSGD(network, Scheme.parse("T1-7_R8"), settings.solver, 10**6)
        prefix = Prefix(network, 0, Preprocessing(mean, sizes.crop, sizes.scale), subsets.train, 0, 0)
        order = data_order(len(subsets.train), settings.solver.batch, 10**6, seed=0)
        generator = torch.Generator()

        def batch(prefix: Prefix = prefix, order=order, generator=generator) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
            indices, epochs = next(order)
            return prefix.batch(indices, epochs, generator), prefix.images.labels[indices]

        ready = batch()

        def train(get: Callable[[], tuple[Tensor, Tensor]], network=network, optimiser=optimiser, steps=steps) -> None:  # type: ignore[no-untyped-def]
            for _ in range(steps):
                inputs, labels = get()
                F.cross_entropy(network(inputs), labels).backward()
                optimiser.step(0)

        train(batch)
        pairs = [(seconds(lambda: train(batch)), seconds(lambda: train(lambda: ready))) for _ in range(blocks)]
        reached = steps * settings.solver.batch / median(real for real, _ in pairs)
        synthetic = median(fake / real for real, fake in pairs)
        rows.append((target, rate / 1e9, flops / 1e6, rate / flops, reached, reached * flops / rate, synthetic))
    return rows


def _network(sizes: Network, classes: int) -> Layered:
    network = caffenet(sizes, classes)
    initialise(network, sizes.filler, torch.Generator().manual_seed(0))
    return network.to(memory_format=torch.channels_last)
