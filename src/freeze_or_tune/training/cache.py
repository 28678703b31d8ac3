"""Memory for images and activations within a budget: on the device while they fit, beyond in a file or nowhere.

A file holds the same bits, so the budget plays no part in a result. A GPU computes anew what has no room, which differs
in the last bits at most and takes less time than reading it: CaffeNet's first blocks make more bytes than an image has,
278 GB for the paper's largest split.
"""

import logging
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system.disk import take
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.device import gpu_memory
from freeze_or_tune.training.images import Images, rows

log = logging.getLogger(__name__)

CHUNK = 250
"""Images at once where no gradients are kept: bounds the memory of activations."""
_FEWEST = 8
"""Images at once below which a GPU is simply too small."""


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
        self, device: torch.device, budget: float = math.inf, half: bool = False, files: bool | None = None,
        chunk: int = CHUNK,
    ) -> None:  # fmt: skip
        """Keep up to `budget` bytes on `device`; `half`: activations are rounded to half precision.

        `files`: what has no room goes to a file; by default on a CPU only. `chunk`: images at once.
        """
        self.device, self.left, self.half, self.chunk = device, budget, half, chunk
        self.files = device.type == "cpu" if files is None else files

    def reserve(self, size: int) -> bool:
        """Whether `size` bytes are left; if so, they are taken."""
        fits = size <= self.left
        self.left -= size if fits else 0
        return fits

    def in_chunks(self, compute: Callable[[Tensor], Tensor], images: Images) -> Iterator[Tensor]:
        """What `compute` makes of all images in their order, some (indices, int64 on the CPU) at a time, no gradients.

        Always the same number, but where a GPU has no room for so many: then half of them, from there on.
        """
        done = 0
        while done < len(images):
            parts = torch.arange(done, len(images)).split(self.chunk)
            with images.ahead(parts):
                for part in parts:
                    try:
                        with torch.no_grad():
                            outputs = compute(part)
                    except torch.OutOfMemoryError:
                        if self.chunk <= _FEWEST:
                            raise
                        self._halve()
                        break
                    done += len(part)
                    yield outputs

    def _halve(self) -> None:
        self.chunk //= 2
        log.warning("the GPU has no memory left: goes on with %d images at once", self.chunk)
        torch.cuda.empty_cache()

    def fill(self, compute: Callable[[Tensor], Tensor], images: Images) -> Table | None:
        """What `compute` makes of all images, as `in_chunks`; None if it has no room."""
        values: Tensor | None = None
        done = 0
        for computed in self.in_chunks(lambda indices: self.rounded(compute(indices)), images):
            outputs = computed.movedim(1, -1)
            if values is None:
                values = self._empty((len(images), *outputs.shape[1:]), outputs.dtype)
            if values is None:
                return None
            values[done : done + len(outputs)] = outputs
            done += len(outputs)
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
                take(file, size)
            except OSError as error:
                raise UserError(
                    f"{size / 2**20:.0f} MB of cached activations do not fit into {tempfile.gettempdir()} "
                    f"({error.strerror}); lower the study's solver.views, raise machine.memory_mb, or set TMPDIR"
                ) from None
            return torch.from_numpy(np.memmap(file, np.uint8, "r+", shape=(size,))).view(dtype).view(shape)


def memory_budget(machine: Machine, device: torch.device, job_mb: float, needed: float = 0) -> float:
    """Bytes for images and activations: as configured, or what `needed` bytes leave of the GPU, or half of the job's.

    Of all of the GPU's memory and not of what is free: others' jobs would decide what is cached and what computed anew.
    """
    if machine.memory_mb is not None:
        return machine.memory_mb * 2**20
    if device.type == "cuda":
        return max(0.0, gpu_memory(machine, device) - needed)
    return job_mb * 2**20 / 2
