"""Images that look alike: pixel for pixel, or nearly, as frames of a video, shots of a burst and other encodings do.

Two images nearly equal each other if their perceptual hashes agree, and their small colour pictures do; or, for what
has moved or turned, if the hashes agree a little, and the features that a network has of them do. Each alone takes
simple pictures (digits, letters) for each other; benchmarks/near_copies.py measures all of it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
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
MOVED = 20
"""Bits of 64 in which they differ at most where features agree."""
AGREED = 0.9
"""Cosine that features have at least, less their class's mean: all images of a class have much in common."""
FLAT = 4.0
"""Grey levels that a small picture must vary by (standard deviation): plain ones are all alike."""
_SIDE = 16
"""Pixels a side of a small picture."""
_HASHED = 64
"""Those of the picture that is hashed, in a quarter of the time that a whole one takes."""
_TILE = 2048
"""Images that are compared with as many at a time, which bounds memory."""

Places = NDArray[np.int64]
Vectors = NDArray[np.float32]


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


def near(
    looks: Looks, places: Sequence[int], classes: Sequence[str], features: NDArray[np.float32] | None = None
) -> Likeness:
    """Compare the images at `places`, of which each has a class and perhaps features [N, D].

    All pairs of hashes are compared, so 100,000 images take a minute. What one image joins is one group, be it a long
    one.
    """
    labels = np.unique(np.array(classes), return_inverse=True)[1]
    where = np.array(places, np.int64)
    hashes, small = looks.hashes[where], looks.small[where]
    seen = np.flatnonzero([picture.std(0).max() >= FLAT for picture in small])
    group, across = np.arange(len(where)), np.zeros(len(where), bool)
    for one, other in _pairs(hashes, seen, APART, ALIKE, lambda some: _standard(small[some])):
        same = labels[one] == labels[other]
        across[one[~same]] = across[other[~same]] = True
        group = _merged(group, one[same], other[same])
    if features is not None:
        own = _less_their_class(features, labels)
        for label in np.unique(labels):
            for one, other in _pairs(hashes, seen[labels[seen] == label], MOVED, AGREED, own.__getitem__):
                group = _merged(group, one, other)
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return Likeness([part.tolist() for part in parts if len(part) > 1], np.flatnonzero(across).tolist())


def _pairs(
    hashes: NDArray[np.uint64], members: Places, apart: int, alike: float, vectors: Callable[[Places], Vectors]
) -> Iterator[tuple[Places, Places]]:
    """Pairs of `members` whose hashes differ in few bits and whose unit vectors have a large product, tile by tile."""
    tiles = [members[start : start + _TILE] for start in range(0, len(members), _TILE)]
    for number, rows in enumerate(tiles):
        for columns in tiles[number:]:
            differ = np.bitwise_count(hashes[rows, None] ^ hashes[None, columns])
            close = np.triu(differ <= apart, 1) if columns is rows else differ <= apart
            some, others = close.any(1), close.any(0)
            if some.any():
                one, other = rows[some], columns[others]
                agree = vectors(one) @ vectors(other).T >= alike
                i, j = np.nonzero(agree & close[np.ix_(some, others)])
                yield one[i], other[j]


def _standard(small: NDArray[np.uint8]) -> Vectors:
    """Such that a product is a correlation: of what each channel [N, _SIDE * _SIDE, 3] shows, whatever its mean."""
    return _unit((small - small.mean(1, keepdims=True, dtype=np.float32)).reshape(len(small), -1))


def _less_their_class(features: Vectors, labels: Places) -> Vectors:
    """What is an image's own: its features less the mean of its class's, of length 1."""
    own = np.empty_like(features)
    for label in np.unique(labels):
        own[labels == label] = _unit(features[labels == label] - features[labels == label].mean(0))
    return own


def _unit(vectors: Vectors) -> Vectors:
    """Of length 1, and those of none as they are."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))


def _merged(group: Places, one: Places, other: Places) -> Places:
    """Groups after these pairs, by number."""
    if not len(one):
        return group
    graph = coo_array((np.ones(len(one), bool), (group[one], group[other])), shape=(len(group), len(group)))
    return np.asarray(connected_components(graph, directed=False)[1][group], np.int64)
