"""Reading ahead: what the next steps will ask for is read by threads while the ones before compute."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

AHEAD = 4
"""Parts that lie ready or are being read, each by a thread: 200 MB for 256 images of 256 pixels a side each."""


class Ahead:
    """Parts of a table in the order in which they will be asked for; reading begins when the first one is.

    A context: no thread is left behind it.
    """

    def __init__(self, read: Callable[[Tensor], Tensor], order: Iterable[Tensor]) -> None:
        """Parts are indices int64 [B] on the CPU, of which `read` makes rows, in any thread."""
        self._read, self._order = read, iter(order)
        self._pool = ThreadPoolExecutor(AHEAD, "ahead")
        self._coming: deque[tuple[Tensor, Future[Tensor]]] = deque()

    def take(self, indices: Tensor) -> Tensor:
        """What `read` makes of `indices`, or the error that it raised; parts left out of the order are passed over.

        Indices that do not come next in the order are read now.
        """
        for part in islice(self._order, AHEAD + 1 - len(self._coming)):
            self._coming.append((part, self._pool.submit(self._read, part)))
        while self._coming:
            part, reading = self._coming.popleft()
            if torch.equal(part, indices):
                return reading.result()
        return self._read(indices)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Read no further, and wait for what is being read."""
        self._pool.shutdown(cancel_futures=True)
