"""A network of four small blocks, and images that it can learn."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.images import Images, Streamed
from freeze_or_tune.training.learners import Replicas
from freeze_or_tune.training.solver import gradients_of, learnables, optimiser_of

SIZE, CROP, CLASSES = 12, 10, 3


def network(seed: int = 0, dropout: float = 0.5) -> Layered:
    """Return blocks 1 and 2 (convolutions), 3 (with dropout) and 4 (the classifier); layers 0-8."""
    torch.manual_seed(seed)
    return Layered(
        [
            {"conv1": nn.Conv2d(3, 6, 3), "relu1": nn.ReLU(inplace=True)},
            {"conv2": nn.Conv2d(6, 4, 3, stride=2), "relu2": nn.ReLU(inplace=True), "flatten": nn.Flatten()},
            {"fc3": nn.Linear(36, 16), "relu3": nn.ReLU(inplace=True), "drop3": nn.Dropout(dropout)},
            {"fc4": nn.Linear(16, CLASSES)},
        ]
    )


def preprocessing(mirror: bool = True) -> Preprocessing:
    """Return random crops around grey."""
    return Preprocessing(torch.full((SIZE, SIZE, 3), 128.0), CROP, 1 / 64, mirror)


def alone(net: Layered, scheme: Scheme, solver: Solver) -> Replicas:
    """A network as the only candidate of a run."""
    return Replicas([net], scheme, solver)


class Optimised:
    """A network and its optimiser, as a loop by hand uses them."""

    def __init__(self, net: Layered, scheme: str, solver: Solver, iterations: int) -> None:
        """Freeze what the scheme freezes."""
        self.parameters = learnables(net, Scheme.parse(scheme), solver)
        self.optimiser = optimiser_of(self.parameters, solver, iterations)

    def step(self, iteration: int) -> None:
        """Update, and clear the gradients."""
        self.optimiser.step(iteration, gradients_of(self.parameters))


def images(count: int, seed: int = 0, noise: float = 20) -> Images:
    """Return images of three classes: each is bright in one channel."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    pixels = generator.normal(100, noise, (count, SIZE, SIZE, 3))
    pixels[np.arange(count), :, :, labels] += 60
    return Images(torch.from_numpy(pixels.clip(0, 255).astype(np.uint8)), torch.from_numpy(labels))


def streamed(pictures: Images, before: Callable[..., None] = lambda *_: None) -> Streamed:
    """The same images in a store, where they stand the other way round; `before` is called before any are read."""
    stored = pictures.pixels.flip(0, -1).numpy()

    def read(rows: Sequence[int], into: NDArray[np.uint8]) -> None:
        before(rows)
        into[:] = stored[rows]

    return Streamed(pictures.pixels[:0], pictures.labels, torch.arange(len(pictures)).flip(0), read)
