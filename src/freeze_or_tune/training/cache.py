"""Memory for images and activations within a budget: on the device while they fit, beyond in a file or nowhere.

A file holds the same bits, so the budget plays no part in a result. A GPU computes anew what has no room, which differs
in the last bits at most and takes less time than reading it: CaffeNet's first blocks make more bytes than an image has,
278 GB for the paper's largest split.
"""

import logging
import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.images import Images, rows

log = logging.getLogger(__name__)

CHUNK = 250
"""Images at once where no gradients are kept: bounds the memory of activations."""


@dataclass(frozen=True)
class Table:
    """Activations of N images, channels last: [N, H, W, C] or [N, D], on the device or in a file."""

    values: Tensor
    device: torch.device

    def take(self, indices: Tensor) -> Tensor:
        """Float32 [B, C, H, W] or [B, D] on the device, for images `indices` (int64 on the CPU)."""
        return rows(self.values, indices, self.device).float().movedim(-1, 1)


class Cache:
    """What is left of the memory that a job may use for images and activations."""

    def __init__(
        self, device: torch.device, budget: float = math.inf, half: bool = False, files: bool | None = None
    ) -> None:
        """Keep up to `budget` bytes on `device`; `half`: activations are rounded to half precision.

        `files`: what has no room goes to a file; by default on a CPU only.
        """
        self.device, self.left, self.half = device, budget, half
        self.files = device.type == "cpu" if files is None else files

    def reserve(self, size: int) -> bool:
        """Whether `size` bytes are left; if so, they are taken."""
        fits = size <= self.left
        self.left -= size if fits else 0
        return fits

    def fill(self, compute: Callable[[Tensor], Tensor], images: Images) -> Table | None:
        """What `compute` makes of the pixels of all images, always the same few at a time, without gradients.

        None if it has no room.
        """
        values: Tensor | None = None
        parts = torch.arange(len(images)).split(CHUNK)
        with torch.no_grad(), images.ahead(parts):
            for indices in parts:
                outputs = self.rounded(compute(images.take(indices))).movedim(1, -1)
                if values is None:
                    values = self._empty((len(images), *outputs.shape[1:]), outputs.dtype)
                if values is None:
                    return None
                values[indices[0] : indices[-1] + 1] = outputs
        return None if values is None else Table(values, self.device)

    def rounded(self, outputs: Tensor) -> Tensor:
        """Activations in the precision that they are kept in."""
        return outputs.half() if self.half else outputs

    def _empty(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor | None:
        size = math.prod(shape) * dtype.itemsize
        if self.reserve(size):
            return torch.empty(shape, dtype=dtype, device=self.device)
        if not self.files:
            log.info("%.0f MB of activations have no room and are computed anew each time", size / 2**20)
            return None
        log.info("%.0f MB of activations go to a file in %s", size / 2**20, tempfile.gettempdir())
        # It has no name and is gone when the process ends, however it ends. bfloat16 is no type of numpy's.
        with tempfile.TemporaryFile() as file:
            try:
                os.posix_fallocate(file.fileno(), 0, size)  # otherwise a full disk would kill the process later
            except OSError as error:
                raise UserError(
                    f"{size / 2**20:.0f} MB of cached activations do not fit into {tempfile.gettempdir()} "
                    f"({error.strerror}); lower the study's solver.views, raise machine.memory_mb, or set TMPDIR"
                ) from None
            return torch.from_numpy(np.memmap(file, np.uint8, "r+", shape=(size,))).view(dtype).view(shape)


def memory_budget(machine: Machine, device: torch.device, job_mb: float) -> float:
    """Bytes for images and activations: as configured, or half of what is free on the GPU or of the job's memory."""
    if machine.memory_mb is not None:
        return machine.memory_mb * 2**20
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / 2
    return job_mb * 2**20 / 2
