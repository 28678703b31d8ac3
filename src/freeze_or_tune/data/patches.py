"""Points in photos: each is an image of its own, cut out around the point."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from freeze_or_tune.data.decoding import UnreadableImage
from freeze_or_tune.system.errors import UserError

Pixels = NDArray[np.uint8]

NAME = re.compile(r"(?P<photo>.+)@(?P<row>\d+),(?P<column>\d+)", re.DOTALL)


def point_name(photo: str, row: int, column: int) -> str:
    """The name of a point as an image of its own: `<photo>@<row>,<column>`."""
    return f"{photo}@{row},{column}"


def point_of(name: str) -> tuple[str, int, int]:
    """(photo, row, column) of such a name; UserError if it is none."""
    match = NAME.fullmatch(name)
    if match is None:
        raise UserError(f"{name!r} is no point of a photo (<photo>@<row>,<column>); patches are cut only around points")
    return match["photo"], int(match["row"]), int(match["column"])


def cut_out(photo: Pixels, row: int, column: int, side: int) -> Pixels:
    """The [side, side, 3] pixels around a point; the photo is reflected at its borders, as pyspacer does it.

    Raises UnreadableImage if the point lies outside; one just at the end may be counted from 1, and is taken.
    """
    height, width = photo.shape[:2]
    if row > height or column > width:
        raise UnreadableImage(f"the point {row}, {column} lies outside the photo of {height} x {width} pixels")
    rows = _reflected(np.arange(row - side // 2, row - side // 2 + side), height)
    columns = _reflected(np.arange(column - side // 2, column - side // 2 + side), width)
    return photo[np.ix_(rows, columns)]


class Photos:
    """The photos of the last points, decoded once although many threads ask: points of a photo come in a row."""

    def __init__(self, decode: Callable[[str], Pixels], keep: int) -> None:
        """Decode by name; `keep` photos stay in memory (a thread each, and one)."""
        self._decode, self._keep = decode, keep
        self._lock = threading.Lock()
        self._photos: OrderedDict[str, Future[Pixels]] = OrderedDict()

    def __call__(self, name: str) -> Pixels:
        """Pixels of a photo, or the error that decoding it raised."""
        with self._lock:
            future = self._photos.get(name)
            mine = future is None
            if future is None:
                future = self._photos[name] = Future()
                while len(self._photos) > self._keep:
                    self._photos.popitem(last=False)
        if mine:
            try:
                future.set_result(self._decode(name))
            except BaseException as error:
                future.set_exception(error)
        return future.result()


def _reflected(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Places beyond an end of [0, length) mirrored at the first or last one, as often as needed."""
    period = max(1, 2 * (length - 1))
    folded = np.abs(places) % period
    return np.minimum(folded, period - folded) if length > 1 else np.zeros_like(places)
