"""Labelled images for training: on the device, or read from a store batch by batch."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from freeze_or_tune.training.ahead import Ahead

Read = Callable[[Sequence[int], NDArray[np.uint8]], None]
"""Fills an array [B, ...] with B rows of a store; any thread may call it."""


def moved(values: Tensor, device: torch.device) -> Tensor:
    """A few numbers of the CPU on the device."""
    # Pinned: any other copy would wait until the GPU has done all that it was asked for before.
    return values if values.device.type == device.type else values.pin_memory().to(device, non_blocking=True)


def rows(table: Tensor, indices: Tensor, device: torch.device) -> Tensor:
    """Rows `indices` (int64 on the CPU) of a table that lies on `device` or, perhaps as a file, in host memory."""
    if table.device.type == device.type:
        return table.index_select(0, moved(indices, device))  # indexing by [] is twenty times slower on a CPU
    # Pinned, so that the copy runs while the GPU still computes the step before.
    pinned = torch.empty((len(indices), *table.shape[1:]), dtype=table.dtype, pin_memory=True)
    return torch.index_select(table, 0, indices, out=pinned).to(device, non_blocking=True)


@dataclass(frozen=True)
class Images:
    """Labelled images on the device: pixels uint8 [N, S, S, 3] in BGR, labels int64 [N]."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """N."""
        return len(self.labels)

    def take(self, indices: Tensor) -> Tensor:
        """Pixels uint8 [B, S, S, 3] in BGR of images `indices` (int64 on the CPU), on the device."""
        return rows(self.pixels, indices, self.labels.device)

    def labels_of(self, indices: Tensor) -> Tensor:
        """Labels int64 [B] of images `indices` (int64 on the CPU), on the device."""
        return rows(self.labels, indices, self.labels.device)

    @contextmanager
    def ahead(self, order: Iterable[Tensor]) -> Iterator[None]:
        """While images will be taken in this order of indices: they are read before, where they are read at all."""
        yield


@dataclass(frozen=True)
class Streamed(Images):
    """Images too many for the device: no `pixels` [0, S, S, 3] are kept, `places` [N] are rows of a store in RGB."""

    places: Tensor
    read: Read
    _ahead: list[Ahead] = field(default_factory=list, init=False, repr=False, compare=False)
    """The last is that of the innermost context."""

    def take(self, indices: Tensor) -> Tensor:
        """Pixels of images `indices`, read from the store; UserError if that fails."""
        pixels = self._ahead[-1].take(indices) if self._ahead else self._pinned(indices)
        return pixels.to(self.labels.device, non_blocking=True).flip(-1)

    @contextmanager
    def ahead(self, order: Iterable[Tensor]) -> Iterator[None]:  # noqa: D102 - Images says
        with Ahead(self._pinned, order) as reader:
            self._ahead.append(reader)
            try:
                yield
            finally:
                self._ahead.pop()

    def _pinned(self, indices: Tensor) -> Tensor:
        """Pixels in host memory, from where a GPU copies them while it computes."""
        shape = (len(indices), *self.pixels.shape[1:])
        pixels = torch.empty(shape, dtype=torch.uint8, pin_memory=self.labels.is_cuda)
        self.read(self.places[indices].tolist(), pixels.numpy())
        return pixels
