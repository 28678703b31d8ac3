"""What the layers that learn start from in each step.

Behind the cached prefix there may be frozen layers with live dropout. Their outputs are drawn anew in each step, but
nothing that is learnt plays a part in them: they are computed for the batches of several steps in one go, which on a
CPU takes two thirds of the time.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.system.hashing import stable_seed
from freeze_or_tune.training.cache import CHUNK
from freeze_or_tune.training.prefix import Prefix


def data_order(images: int, batch: int, iterations: int, seed: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
    """(indices, epochs) of each batch: a new permutation of all images each epoch, batches running across epochs.

    The order of an epoch depends on the seed and its number alone, so a run can be entered at any iteration.
    """
    permutations: dict[int, Tensor] = {}

    def permutation(epoch: int) -> Tensor:
        if epoch not in permutations:
            permutations.clear()
            order = np.random.default_rng(stable_seed(seed, "order", epoch)).permutation(images)
            permutations[epoch] = torch.from_numpy(order)
        return permutations[epoch]

    for iteration in range(start, iterations):
        first, end = iteration * batch, (iteration + 1) * batch
        epochs = range(first // images, (end - 1) // images + 1)
        parts = [permutation(epoch)[max(0, first - epoch * images) : end - epoch * images] for epoch in epochs]
        repeated = [torch.full((len(part),), epoch) for part, epoch in zip(parts, epochs, strict=True)]
        yield torch.cat(parts), torch.cat(repeated)


def joined(order: Iterator[tuple[Tensor, Tensor]], count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The same, `count` batches in one."""
    while batches := list(islice(order, count)):
        indices, epochs = (torch.cat(parts) for parts in zip(*batches, strict=True))
        yield indices, epochs


class Batches:
    """The batches of a run and all its random numbers; `network` is in training mode while they are asked for."""

    def __init__(self, network: Layered, prefix: Prefix, batch: int, iterations: int, seed: int) -> None:
        """Start at the first iteration; the network's frozen blocks must be frozen."""
        torch.manual_seed(seed)  # dropout
        self._crops = torch.Generator().manual_seed(stable_seed(seed, "views"))
        self.network, self.prefix, self.batch, self.iterations, self.seed = network, prefix, batch, iterations, seed
        self.first = network.first_layer(network.frozen + 1)
        """Position in the chain of the first layer that learns: what follows starts from these batches."""
        self._together = max(1, CHUNK // batch) if prefix.cut < self.first else 1
        self._ready: deque[tuple[Tensor, Tensor]] = deque()
        self._before = self._random()
        self._enter(0)

    def next(self) -> tuple[Tensor, Tensor]:
        """Inputs of layer `first` [B, ...] and labels [B] of the next iteration."""
        if not self._ready:
            self._before = self._random()
            self._ready.extend(self._computed(*next(self._order)))
        return self._ready.popleft()

    def ahead(self, iteration: int) -> AbstractContextManager[None]:
        """While batches from `iteration` on will be asked for: images are read before, where they are read at all."""
        return self.prefix.ahead(self._from(iteration + -iteration % self._together))  # those before are computed

    def state(self) -> dict[str, Any]:
        """Where the random numbers are, and where they were when the batches that are ready were computed."""
        return {"random": self._random(), "before": self._before}

    def restore(self, iteration: int, state: dict[str, Any]) -> None:
        """Go on from a state, of `iteration` batches."""
        begun = iteration % self._together
        self._enter(iteration - begun)
        self._draw_from(state["before"])
        for _ in range(begun):
            self.next()
        self._draw_from(state["random"])

    def _enter(self, iteration: int) -> None:
        self._ready.clear()
        self._order = self._from(iteration)

    def _from(self, iteration: int) -> Iterator[tuple[Tensor, Tensor]]:
        """What is computed together from an iteration on."""
        order = data_order(len(self.prefix.images), self.batch, self.iterations, self.seed, iteration)
        return joined(order, self._together)

    def _computed(self, indices: Tensor, epochs: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Inputs and labels of some batches."""
        inputs, labels = self.prefix.batch(indices, epochs, self._crops), self.prefix.images.labels_of(indices)
        if self.prefix.cut < self.first:
            with torch.no_grad():
                inputs = self.network(inputs, start=self.prefix.cut, stop=self.first)
        return list(zip(inputs.split(self.batch), labels.split(self.batch), strict=True))

    def _random(self) -> dict[str, Tensor | None]:
        """States of the generators of crops and dropout."""
        on_gpu = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None
        return {"crops": self._crops.get_state(), "dropout": torch.get_rng_state(), "dropout_on_gpu": on_gpu}

    def _draw_from(self, random: dict[str, Tensor]) -> None:
        self._crops.set_state(random["crops"])
        torch.set_rng_state(random["dropout"])
        # None where a CPU has saved it: the GPU's numbers then start anew; it computes a little differently anyway.
        if random["dropout_on_gpu"] is not None and torch.cuda.is_initialized():
            torch.cuda.set_rng_state(random["dropout_on_gpu"])
