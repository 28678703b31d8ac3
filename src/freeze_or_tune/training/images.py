"""Labelled images for training: on the device, or read from a memory-mapped store batch by batch."""

from dataclasses import dataclass

import torch
from torch import Tensor


def rows(table: Tensor, indices: Tensor, device: torch.device) -> Tensor:
    """Rows `indices` (int64 on the CPU) of a table that lies on `device` or, perhaps as a file, in host memory."""
    if table.device.type == device.type:
        return table.index_select(0, indices.to(device))  # indexing by [] is twenty times slower on a CPU
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


@dataclass(frozen=True)
class Streamed(Images):
    """Images too many for the device: `pixels` is a whole store, memory-mapped in RGB, `places` the images' rows."""

    places: Tensor

    def take(self, indices: Tensor) -> Tensor:
        """Pixels of images `indices`, read from the store."""
        return rows(self.pixels, self.places[indices], self.labels.device).flip(-1)
