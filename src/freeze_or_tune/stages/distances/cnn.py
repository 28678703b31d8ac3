"""Distance in pixel space: how well Caffe's small CIFAR-10 network tells source from target."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from freeze_or_tune.data.splits import training_images
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.cifar import cifar_quick, shrink
from freeze_or_tune.records.distances import Distance
from freeze_or_tune.stages.distances.sides import Sample, draw_samples, labels, standard_error
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import CnnSettings, Machine
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.system.hashing import stable_seed
from freeze_or_tune.training.device import prepare_device
from freeze_or_tune.training.solver import gradients_of, learnables, optimiser_of

log = logging.getLogger(__name__)

_CHUNK = 250


def held_out_accuracy(
    source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor], settings: CnnSettings, seed: int
) -> float:
    """Accuracy on the held-out half; each side is (training, held-out) images float32 [M, 3, 32, 32], 0-255."""
    train, held_out = (torch.cat(halves) for halves in zip(source, target, strict=True))
    train_labels = torch.from_numpy(labels(len(source[0]), len(target[0])))
    held_out_labels = torch.from_numpy(labels(len(source[1]), len(target[1])))
    mean = train.mean(0)
    generator = torch.Generator().manual_seed(seed)
    network = cifar_quick(2, generator)
    solver = _solver(settings)
    parameters = learnables(network, Scheme.parse("R1-5"), solver)
    optimiser = optimiser_of(parameters, solver, settings.iterations)
    for iteration in range(settings.iterations):
        batch = torch.randint(len(train), (settings.batch,), generator=generator)
        loss = F.cross_entropy(network(train[batch] - mean), train_labels[batch])
        loss.backward()
        optimiser.step(iteration, gradients_of(parameters))
        if iteration % 50 == 0:
            log.info("iteration %d/%d: loss %.4f", iteration, settings.iterations, loss.item())
    with torch.no_grad():
        predicted = torch.cat([network(chunk - mean).argmax(1) for chunk in held_out.split(250)])
    return float((predicted == held_out_labels).double().mean())


def _solver(settings: CnnSettings) -> Solver:
    """Caffe's for this network: the rate drops tenfold for the last fifth."""
    return Solver(
        learning_rate=settings.learning_rate, momentum=settings.momentum, weight_decay=settings.weight_decay,
        drops=(0.8,), gamma=0.1,
    )  # fmt: skip


class Side(NamedTuple):
    """The images of one side: all of a store, or the training images of a split."""

    store: Path
    sample: Path | None = None

    def names(self) -> list[str]:
        """Its images, sorted."""
        return training_images(self.sample) if self.sample else Store(self.store).names

    def images(self, names: Sequence[str]) -> Tensor:
        """Some of them as the network sees them; only a few are in memory at full size."""
        store = Store(self.store)
        chunks = (store.images(names[start : start + _CHUNK]) for start in range(0, len(names), _CHUNK))
        return torch.cat([shrink(torch.from_numpy(chunk)) for chunk in chunks])


def measure(
    source: str, target: str, source_side: Side, target_side: Side, settings: CnnSettings, seed: int, threads: int,
    destination: Path,
) -> None:  # fmt: skip
    """Train and test the network on the images of two sides and write the record."""
    prepare_device(Machine(device="cpu"), threads)
    ours, theirs = source_side.names(), target_side.names()
    seed, same = stable_seed(seed, target, "cnn"), source_side.store == target_side.store
    first, second = draw_samples(len(ours), len(theirs), settings.samples, seed, same=same)

    def images(side: Side, names: list[str], sample: Sample) -> tuple[Tensor, Tensor]:
        train, held_out = (side.images([names[row] for row in rows]) for rows in sample)
        return train, held_out

    accuracy = held_out_accuracy(images(source_side, ours, first), images(target_side, theirs, second), settings, seed)
    Distance(
        metric="cnn", source=source, target=target, value=accuracy,
        standard_error=standard_error(accuracy, len(first.held_out) + len(second.held_out)),
        source_images=len(ours), target_images=len(theirs),
    ).write(destination)  # fmt: skip
