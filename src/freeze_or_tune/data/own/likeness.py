"""Images that look alike: pixel for pixel, or nearly, as frames of a video, shots of a burst and other encodings do.

Two images nearly equal each other if both their perceptual hashes and their small colour pictures agree. Either alone
takes simple pictures (digits, letters) for each other; benchmarks/near_copies.py measures both together.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from freeze_or_tune.data.store import BLOCK, Store

APART = 8
"""Bits of 64 in which the hashes of near copies differ at most."""
ALIKE = 0.99
"""Correlation that the small pictures of near copies have at least."""
FLAT = 4.0
"""Grey levels that a small picture must vary by (standard deviation): plain ones are all alike."""
_SIDE = 16
"""Pixels a side of a small picture."""
_HASHED = 64
"""Those of the picture that is hashed, in a quarter of the time that a whole one takes."""
_TILE = 2048
"""Images that are compared with as many at a time, which bounds memory."""

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Looks:
    """What is remembered of so many images: 0.8 kB of each."""

    digests: list[bytes]
    """Of all pixels."""
    hashes: NDArray[np.uint64]
    small: NDArray[np.uint8]
    """Small pictures [N, _SIDE * _SIDE, 3]."""


@dataclass(frozen=True)
class Likeness:
    """Which images nearly equal others."""

    groups: list[list[int]]
    """Images of one class that do, each with one other of its group at least."""
    across: list[int]
    """Images that do with one of another class."""


def look(store: Store, names: Sequence[str]) -> Looks:
    """Read each image once; UserError if one was damaged."""
    digests: list[bytes] = []
    hashes = np.empty(len(names), np.uint64)
    small = np.empty((len(names), _SIDE * _SIDE, 3), np.uint8)
    for start in range(0, len(names), BLOCK):
        for place, pixels in enumerate(store.images(names[start : start + BLOCK]), start):
            digests.append(hashlib.sha256(pixels.data).digest())
            image = Image.fromarray(pixels).resize((_HASHED, _HASHED), Image.Resampling.BOX)
            hashes[place] = np.packbits(imagehash.phash(image).hash).view(np.uint64)[0]
            small[place] = np.asarray(image.reduce(_HASHED // _SIDE)).reshape(-1, 3)
    return Looks(digests, hashes, small)


def near(looks: Looks, places: Sequence[int], classes: Sequence[str]) -> Likeness:
    """Compare the images at `places`, of which each has a class: all pairs of hashes, so 100,000 images take a minute.

    What one image joins is one group, be it a long one.
    """
    labels = np.unique(np.array(classes), return_inverse=True)[1]
    where = np.array(places, np.int64)
    seen = np.flatnonzero([looks.small[place].std(0).max() >= FLAT for place in places])
    group, across = np.arange(len(where)), np.zeros(len(where), bool)
    for one, other in _pairs(looks, where, seen):
        same = labels[one] == labels[other]
        across[one[~same]] = across[other[~same]] = True
        group = _merged(group, one[same], other[same])
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return Likeness([part.tolist() for part in parts if len(part) > 1], np.flatnonzero(across).tolist())


def _pairs(looks: Looks, where: Places, seen: Places) -> Iterator[tuple[Places, Places]]:
    """Pairs of those `seen`, tile by tile."""
    tiles = [seen[start : start + _TILE] for start in range(0, len(seen), _TILE)]
    for number, rows in enumerate(tiles):
        for columns in tiles[number:]:
            apart = np.bitwise_count(looks.hashes[where[rows], None] ^ looks.hashes[None, where[columns]])
            close = np.triu(apart <= APART, 1) if columns is rows else apart <= APART
            some, others = close.any(1), close.any(0)
            if some.any():
                one, other = rows[some], columns[others]
                alike = _standard(looks.small[where[one]]) @ _standard(looks.small[where[other]]).T >= ALIKE
                i, j = np.nonzero(alike & close[np.ix_(some, others)])
                yield one[i], other[j]


def _standard(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Such that a product is a correlation: of what each channel [N, _SIDE * _SIDE, 3] shows, whatever its mean."""
    centred = (small - small.mean(1, keepdims=True, dtype=np.float32)).reshape(len(small), -1)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True), np.float32)


def _merged(group: Places, one: Places, other: Places) -> Places:
    """Groups after these pairs, by number."""
    if not len(one):
        return group
    graph = coo_array((np.ones(len(one), bool), (group[one], group[other])), shape=(len(group), len(group)))
    return np.asarray(connected_components(graph, directed=False)[1][group], np.int64)
