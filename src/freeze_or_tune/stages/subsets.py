"""The images of a split, where training wants them: on the device while they fit, else in the store."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
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
    pixels = torch.from_numpy(images.array)

    def subset(name: str, *others: str) -> Images:
        rows = [row for row in chosen if row.subset in (name, *others)]
        places = torch.from_numpy(images.rows([row.image for row in rows]))
        labels = torch.tensor([row.label for row in rows], device=cache.device)
        size = len(rows) * pixels[0].numel()
        if cache.reserve(size):
            return Images(_resident(pixels, places, cache.device), labels)
        log.info("%.0f MB of %s images are read from the store batch by batch", size / 2**20, name)
        return Streamed(pixels[:0], labels, places, images.read)

    return Subsets(
        subset("train", *(["val"] if sizes.pool == "refit" else [])), subset("val"), subset("test"),
        train_names=tuple(row.image for row in chosen if row.subset == "train"),
        classes=len({row.label for row in chosen}),
    )  # fmt: skip


def _resident(pixels: Tensor, places: Tensor, device: torch.device) -> Tensor:
    """Rows of a store on the device, in Caffe's BGR; part by part, so that there are never two copies."""
    resident = torch.empty((len(places), *pixels.shape[1:]), dtype=torch.uint8, device=device)
    for here, there in zip(resident.split(BLOCK), places.split(BLOCK), strict=True):
        here.copy_(pixels.index_select(0, there).to(device).flip(-1))  # turned there, where it costs nothing
    return resident
