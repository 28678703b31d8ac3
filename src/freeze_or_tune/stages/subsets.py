"""The images of a split, where training wants them: on the device while they fit, else in the store."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from freeze_or_tune.data.splits import read_split
from freeze_or_tune.data.store import BLOCK, Store
from freeze_or_tune.study.settings import SplitSettings
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.images import Images, Streamed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Subsets:
    """A split's images."""

    train: Images
    val: Images
    test: Images
    train_names: tuple[str, ...]
    classes: int


def load_subsets(sizes: SplitSettings, store: Path, split: Path, cache: Cache) -> Subsets:
    """Read a split; put each subset on the device, once, or leave it in the store if the cache has no room for it."""
    chosen = read_split(split, sizes.n, sizes.val, sizes.test, pool=sizes.pool, up_to=sizes.up_to)
    images = Store(store)

    def subset(name: str, *others: str) -> Images:
        rows = [row for row in chosen if row.subset in (name, *others)]
        places = images.rows([row.image for row in rows])
        labels = torch.tensor([row.label for row in rows], device=cache.device)
        size = len(rows) * math.prod(images.shape[1:])
        if cache.reserve(size):
            return Images(_resident(images, places, cache.device), labels)
        log.info("%.0f MB of %s images are read from the store batch by batch", size / 2**20, name)
        nothing = torch.empty((0, *images.shape[1:]), dtype=torch.uint8)
        return Streamed(nothing, labels, torch.from_numpy(places), images.read)

    return Subsets(
        subset("train", *(["val"] if sizes.pool == "refit" else [])), subset("val"), subset("test"),
        train_names=tuple(row.image for row in chosen if row.subset == "train"),
        classes=len({row.label for row in chosen}),
    )  # fmt: skip


def _resident(images: Store, places: NDArray[np.int64], device: torch.device) -> Tensor:
    """Rows of a store on the device, in Caffe's BGR; part by part, so that there are never two copies."""
    resident = torch.empty((len(places), *images.shape[1:]), dtype=torch.uint8, device=device)
    part = np.empty((min(BLOCK, len(places)), *images.shape[1:]), np.uint8)
    for start in range(0, len(places), BLOCK):
        rows = places[start : start + BLOCK].tolist()
        images.read(rows, part[: len(rows)])
        # Turned there, where it costs nothing.
        resident[start : start + len(rows)] = torch.from_numpy(part[: len(rows)]).to(device).flip(-1)
    return resident
