"""How long a step waits for images of a store, read ahead or when it asks for them: `python -m benchmarks.reading`.

A batch of 256 images of 256 pixels, as pretraining has, and a step that takes as long as a GPU's. Disks: one that gives
230 MB/s to all who read; one that is fast but far away, so that each image takes 2 ms; and this machine's own, whose
pages the system forgets before each turn. Prints a table for docs/performance.md.
"""

import argparse
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from benchmarks.compare import table
from freeze_or_tune.data.rows import Rows
from freeze_or_tune.training.ahead import AHEAD, Ahead
from freeze_or_tune.training.batches import data_order

SHAPE, BATCH = (256, 256, 3), 256
SIZE = int(np.prod(SHAPE))

Wait = Callable[[], None]
Step = Callable[[float], None]


class Narrow:
    """A disk that gives so many bytes a second, to one reader or to all together."""

    def __init__(self, rate: float) -> None:
        """Free from now on."""
        self._seconds, self._free, self._lock = SIZE / rate, 0.0, Lock()

    def __call__(self) -> None:
        """Wait for an image."""
        with self._lock:
            self._free = ready = max(self._free, time.perf_counter()) + self._seconds
        time.sleep(max(0.0, ready - time.perf_counter()))


def far() -> None:
    """Wait for an image of a disk that serves many at once."""
    time.sleep(0.002)


def own() -> None:
    """Wait for nothing else."""


def sleeping(seconds: float) -> None:
    """Do as the processor does while a GPU computes."""
    time.sleep(seconds)


def computing(seconds: float) -> None:
    """Do as a processor does that trains."""
    matrix, end = torch.ones(500, 500), time.perf_counter() + seconds
    while time.perf_counter() < end:
        torch.mm(matrix, matrix)


CASES: list[tuple[str, Wait, str, Step, float]] = [
    ("230 MB/s", Narrow(230e6), "sleeps", sleeping, 0.25),
    ("230 MB/s", Narrow(230e6), "computes", computing, 0.25),
    ("2 ms an image", far, "sleeps", sleeping, 0.25),
    ("this one", own, "sleeps", sleeping, 0.25),
]


def forgotten(path: Path) -> None:
    """Let the system forget what it keeps of a file in memory."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def waited(
    path: Path, rows: Rows, order: Sequence[Tensor], disk: Wait, step: Step, seconds: float, ahead: bool
) -> tuple[float, float, int]:
    """Share of the time waited once the queue is full, seconds of all steps, and a checksum of what was read."""

    def read(indices: Tensor) -> Tensor:
        pixels = torch.empty((len(indices), *SHAPE), dtype=torch.uint8)
        for row, image in zip(indices.tolist(), pixels.numpy(), strict=True):
            disk()
            rows.read([row], image[None])
        return pixels

    forgotten(path)
    waits, checksum, start = [], 0, time.perf_counter()
    with Ahead(read, order) if ahead else nullcontext() as reader:
        for indices in order:
            asked = time.perf_counter()
            pixels = reader.take(indices) if reader else read(indices)
            waits.append(time.perf_counter() - asked)
            checksum = zlib.crc32(pixels.numpy()[:, ::16].tobytes(), checksum)
            del pixels  # 8 ms, which are no waiting
            step(seconds)
    total = time.perf_counter() - start
    later = waits[AHEAD:]
    return sum(later) / (sum(later) + seconds * len(later)), total, checksum


def compare(path: Path, images: int, steps: int, count: int) -> Iterator[tuple[object, ...]]:
    """Rows of the table."""
    with path.open("wb") as file:
        for part in np.array_split(np.arange(images), max(1, images // BATCH)):
            file.write(np.random.default_rng(part[0]).bytes(len(part) * SIZE))
    rows = Rows(path, 0, (images, *SHAPE))
    order = [indices for indices, _ in data_order(images, BATCH, steps, seed=0)]
    for disk, wait, kind, step, seconds in CASES:
        turns = [
            [waited(path, rows, order, wait, step, seconds, ahead) for ahead in (False, True)] for _ in range(count)
        ]
        assert len({checksum for turn in turns for *_, checksum in turn}) == 1
        (without, alone, _), (with_it, together, _) = (
            [median(turn[side][column] for turn in turns) for column in range(3)] for side in range(2)
        )
        yield disk, kind, seconds, 100 * without, 100 * with_it, alone, together, alone / together


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=4096, help="of the store: 0.2 MB of disk each")
    parser.add_argument("--steps", type=int, default=16, help="of 256 images each, in a turn")
    parser.add_argument("--turns", type=int, default=3, help="of which the middle one counts")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = list(compare(Path(folder) / "store", arguments.images, arguments.steps, arguments.turns))
    header = ("disk", "a step", "s", "waited %", "waited %, ahead", "all steps: s", "all steps, ahead: s", "times")
    table(header, found)


if __name__ == "__main__":
    main()
