"""Rows of an array in a file, read and written by calls of the system and not through mapped memory.

Threads that read hold up no other thread, and what goes wrong is an error; in mapped memory it would end the process.
What is written counts as no memory of the process.
"""

import errno
import math
import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from freeze_or_tune.system.errors import SpoiltFile, UserError


class Rows:
    """An open file that holds uint8 [N, ...] from a byte on."""

    def __init__(self, path: Path, offset: int, shape: Sequence[int]) -> None:
        """Open `path`, whose array of `shape` begins at `offset`; OSError if that fails."""
        self.path, self._offset, self._size = path, offset, math.prod(shape[1:])
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)

    def read(self, rows: Sequence[int], into: NDArray[np.uint8]) -> None:
        """Fill `into` uint8 [len(rows), ...] with some of the rows; several threads may at once.

        UserError if the file has become shorter or cannot be read.
        """
        try:
            for row, values in zip(rows, into, strict=True):
                self._fill(values.data.cast("B"), self._offset + row * self._size)
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be read ({error.strerror}): see that its file system is there, then run snakemake "
                "again; a training goes on from its last checkpoint"
            ) from None

    def _fill(self, values: "memoryview[Any]", start: int) -> None:
        done = 0
        while done < len(values):
            count = os.preadv(self._descriptor, [values[done:]], start + done)
            if not count:
                raise SpoiltFile(f"{self.path} has become shorter while it was read")
            done += count


class NewRows:
    """A new .npy of uint8 `shape`, whose rows are written in any order, by any thread; use as a context manager."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        """Write its header, and make room."""
        self._file = path.open("wb")
        np.lib.format.write_array_header_1_0(self._file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        self._file.flush()
        self._offset, self._size = self._file.tell(), math.prod(shape[1:])
        self._file.truncate(self._offset + shape[0] * self._size)

    def write(self, row: int, values: NDArray[np.uint8]) -> None:
        """Write a row; OSError if that fails, as on a full disk."""
        if os.pwrite(self._file.fileno(), values.data, self._offset + row * self._size) != self._size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._file.name)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it; OSError if what was written does not reach the disk."""
        self._file.close()
