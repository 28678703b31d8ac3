"""The store: every image that some split uses, decoded once into one array in a file.

It is written and read by calls of the system, not through mapped memory (`rows.py` says why).
"""

import logging
import math
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from freeze_or_tune.data.archives import Archive, Paths, UnreadableFile
from freeze_or_tune.data.decoding import UnreadableImage, decode_whole, warp
from freeze_or_tune.data.index import read_index
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.opening import open_images
from freeze_or_tune.data.patches import Photos, Pixels, cut_out, point_of
from freeze_or_tune.data.pixels import Decoder, Wish
from freeze_or_tune.data.rows import NewRows, Rows
from freeze_or_tune.data.splits import Draw, draw, write_split
from freeze_or_tune.data.tallies import tally
from freeze_or_tune.records.decoding import Orientation, Stored
from freeze_or_tune.study.opening import USUAL, Opening
from freeze_or_tune.system.csv_files import read_table, write_table
from freeze_or_tune.system.errors import SpoiltFile, UserError

logger = logging.getLogger(__name__)

BLOCK = 1024
"""Images handed to the threads (or summed) at a time, which bounds memory and the wait after an error."""


def build_store(
    archive: Paths,
    index: Path,
    splits: Sequence[Draw] | None,
    *,
    dataset: str,
    size: int,
    destination: Path,
    threads: int,
    patch: int | None = None,
    opening: Opening = USUAL,
    orientation: Orientation = "stored",
    value_range: Wish = None,
) -> None:
    """Decode each image that one of `splits` uses into uint8 [N, size, size, 3], `destination` (.npy).

    All images are used if `splits` is None. Beside it: .csv (image, crc32 of its pixels; sorted, row i is image i),
    .rejected.csv (image, reason) and .json (how they were decoded, and what was noticed). Unreadable images are
    replaced by the next ones of their class; UserError if too few are left. For a dataset of points in photos, `patch`
    is the side in pixels of what is cut out around each. `opening` as the index had it; `orientation` and `value_range`
    as a study's Images have them, without, Caffe's way.
    """
    listings = read_index(index)
    rejected: dict[str, str] = {}
    ready: dict[str, Pixels] = {}
    destination.parent.mkdir(parents=True, exist_ok=True)
    with (
        open_images(archive, opening, destination.parent) as images,
        tempfile.TemporaryDirectory(dir=destination.parent, prefix=".store-") as scratch,
    ):
        _check_present(listings, images, index, points=patch is not None)
        decoder = Decoder(images.read, size, orientation, value_range)
        read = decoder if patch is None else _around(images, size, patch, threads)

        def pixels(name: str) -> Pixels | None:
            return ready[name] if name in ready else read(name)

        for attempt in count():
            names = _used(listings, splits, dataset, rejected)
            packed = Path(scratch, f"{attempt}.npy")
            results = _pack(names, images.in_order(names), pixels, decoder.settle, size, packed, threads)
            failed = {name: reason for name, reason in results.items() if isinstance(reason, str)}
            if not failed:
                break
            for name, reason in failed.items():
                logger.warning("%s: left out %r: %s", dataset, name, reason)
            rejected |= failed
            array = np.load(packed, mmap_mode="r")
            ready = {name: row for name, row in zip(names, array, strict=True) if name not in failed}
        _publish(packed, destination, results, rejected, decoder.stored(names))
    logger.info("%s: %d images stored, %d left out", dataset, len(names), len(rejected))


def read_stored(store: Path) -> Stored:
    """How the images of a store were decoded, and what was noticed."""
    return Stored.read(store.with_suffix(".json"))


def read_rejected(path: Path) -> set[str]:
    """The images that a store's .rejected.csv says could not be decoded."""
    return {image for _, (image, _) in read_table(path, ("image", "reason"))}


def draw_split(index: Path, rejected: Path, destination: Path, counts: Path, *, dataset: str, what: Draw) -> None:
    """Write the split that is drawn from those images of an index that the store could decode, and its `counts`."""
    left_out = read_rejected(rejected)
    listings = [listing for listing in read_index(index) if listing.image not in left_out]
    rows = draw(listings, dataset=dataset, **what._asdict())
    tally(listings, rows, what).write(counts)
    write_split(rows, destination)


class Store:
    """A store opened for reading; UserError if its files are not whole."""

    def __init__(self, path: Path) -> None:
        """Read what the file holds, and the names of its images."""
        self.path = path
        try:
            kind, self.shape, start = _header(path)
            self._file = Rows(path, start, self.shape)
            table = list(read_table(path.with_suffix(".csv"), ("image", "crc32")))
            self._checksums = {image: int(crc, 16) for _, (image, crc) in table}
        except (OSError, ValueError, EOFError, UserError) as error:
            raise self._damaged(str(error)) from None
        if len(self.shape) != 4 or kind != np.uint8:
            raise self._damaged(f"it holds {kind} {list(self.shape)}")
        held, due = path.stat().st_size, start + math.prod(self.shape)
        if held != due:
            raise self._damaged(f"it has {held} bytes, not {due}")
        if not self.shape[0] == len(table) == len(self._checksums):
            raise self._damaged(f"{self.shape[0]} images, but {len(table)} rows beside them")
        self._rows = {name: row for row, name in enumerate(self._checksums)}

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._rows)

    @property
    def names(self) -> list[str]:
        """All images, sorted."""
        return list(self._rows)

    def rows(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Where `names` are in the array; UserError if one is missing or was damaged."""
        pixels = np.empty((1, *self.shape[1:]), np.uint8)  # one for all: it stays in the processor's cache
        for name in names:
            self._checked([name], pixels)
        return np.array([self._rows[name] for name in names], np.int64)

    def read(self, rows: Sequence[int], into: Pixels) -> None:
        """Fill `into` uint8 [len(rows), size, size, 3] with rows of the array, not checked again; any thread may.

        UserError if the file cannot be read any more.
        """
        self._file.read(rows, into)

    def images(self, names: Sequence[str]) -> Pixels:
        """Pixels of `names` in that order, uint8 [len, size, size, 3]; UserError if one was damaged."""
        pixels = np.empty((len(names), *self.shape[1:]), np.uint8)
        self._checked(names, pixels)
        return pixels

    def mean(self, names: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Mean of `names` (or all images), float32 [size, size, 3]; ValueError if there are none."""
        names = self.names if names is None else names
        if not names:
            raise ValueError("the mean of no images")
        total = np.zeros(self.shape[1:], np.uint64)
        for start in range(0, len(names), BLOCK):
            total += self.images(names[start : start + BLOCK]).sum(axis=0, dtype=np.uint64)
        return (total / len(names)).astype(np.float32)

    def _checked(self, names: Sequence[str], into: Pixels) -> None:
        """Read images, and compare each with its checksum while it is at hand."""
        for name, pixels in zip(names, into, strict=True):
            if name not in self._rows:
                raise self._damaged(f"it has no image {name!r}")
            self._file.read([self._rows[name]], pixels[None])
            if zlib.crc32(pixels.data) != self._checksums[name]:
                raise self._damaged(f"the pixels of {name!r} are not those that were stored")

    def _damaged(self, problem: str) -> UserError:
        return SpoiltFile(f"the store {self.path} is damaged ({problem})")


def _header(path: Path) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """What a .npy holds: type, shape, and where its numbers begin; ValueError if it is none."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"it is of version {version} of the format")
        shape, by_columns, kind = np.lib.format.read_array_header_1_0(file)
        if by_columns:
            raise ValueError("it is stored by columns")
        return kind, shape, file.tell()


def _around(images: Archive, size: int, side: int, threads: int) -> Callable[[str], Pixels]:
    """How to get the pixels around a point of a photo."""
    photos = Photos(lambda name: decode_whole(images.read(name)), keep=threads + 1)

    def around(name: str) -> Pixels:
        photo, row, column = point_of(name)
        return warp(cut_out(photos(photo), row, column, side), size)

    return around


def _check_present(listings: Iterable[Listing], images: Archive, index: Path, *, points: bool) -> None:
    wanted = {point_of(listing.image)[0] if points else listing.image for listing in listings}
    missing = sorted(wanted.difference(images.names()))
    if missing:
        raise UserError(
            f"{images.path} lacks {len(missing)} images of {index}, such as {missing[0]!r}; "
            "if it changed, rebuild the index: snakemake --forcerun index"
        )


def _used(
    listings: Iterable[Listing], splits: Sequence[Draw] | None, dataset: str, rejected: dict[str, str]
) -> list[str]:
    """The images of all splits, sorted; UserError if a class has too few that can be read."""
    readable = [listing for listing in listings if listing.image not in rejected]
    if splits is None:
        if not readable:
            raise UserError(f"dataset {dataset!r}: none of its {len(rejected)} images can be read; the log says why")
        return [listing.image for listing in readable]
    try:
        drawn = [draw(readable, dataset=dataset, **split._asdict()) for split in splits]
    except UserError as error:
        note = f" ({len(rejected)} images could not be read, see the warnings above)" if rejected else ""
        raise UserError(f"{error}{note}") from None
    return sorted({row.image for rows in drawn for row in rows})


def _pack(
    names: Sequence[str], ordered: Sequence[str], pixels: Callable[[str], Pixels | None], settle: Callable[..., None],
    size: int, path: Path, threads: int,
) -> dict[str, int | str]:  # fmt: skip
    """Write the pixels of `names` to `path`, read as `ordered`; for each its checksum, or why it could not be read.

    Those of which there are none at first are asked for again when all others are written, and it is settled how.
    """
    rows = {name: row for row, name in enumerate(names)}
    results: dict[str, int | str] = {}
    watched = sys.stderr.isatty()
    with (
        NewRows(path, (len(names), size, size, 3)) as file,
        ThreadPoolExecutor(threads) as pool,
        tqdm(total=len(names), unit="image", disable=not watched) as bar,
    ):

        def put(name: str) -> int | str | None:
            try:
                image = pixels(name)
            except (UnreadableImage, UnreadableFile) as error:
                return str(error)
            if image is None:
                return None
            file.write(rows[name], image)
            return zlib.crc32(image.data)

        def put_all(some: Sequence[str]) -> None:
            for block in (some[first : first + BLOCK] for first in range(0, len(some), BLOCK)):
                for name, result in zip(block, pool.map(put, block), strict=True):
                    if result is not None:
                        results[name] = result
                        bar.update()

        put_all(ordered)
        late = [name for name in ordered if name not in results]
        settle(late, pool.map)
        put_all(late)
    return {name: results[name] for name in names}


def _publish(
    packed: Path, destination: Path, checksums: dict[str, int | str], rejected: dict[str, str], stored: Stored
) -> None:
    """Give the files their names, the array last: where it is, the others are whole and belong to it."""
    destination.unlink(missing_ok=True)
    rows = [(name, f"{checksum:08x}") for name, checksum in checksums.items()]
    write_table(destination.with_suffix(".csv"), ("image", "crc32"), rows)
    write_table(destination.with_suffix(".rejected.csv"), ("image", "reason"), sorted(rejected.items()))
    stored.write(destination.with_suffix(".json"))
    packed.replace(destination)
