"""Stage: a look at one's own images; near copies also with the eyes of a source's network."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from freeze_or_tune.data.own.checking import check_images
from freeze_or_tune.data.store import Store
from freeze_or_tune.stages.features import features_of
from freeze_or_tune.stages.memory import chunk_for
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.settings import Advising, Machine
from freeze_or_tune.training.device import prepare_device


def look_at(
    sizes: Network, weights: Path, index: Path, noticed: Path, store: Path, record: Path, split: Path, *, dataset: str,
    seed: int, shares: Advising, machine: Machine, threads: int,
) -> None:  # fmt: skip
    """`check_images` with the features of the source network in `weights`, computed once it is known what is of use."""
    device = prepare_device(machine, threads)

    def describe(images: Store, names: Sequence[str]) -> NDArray[np.float32]:
        chunk = chunk_for(sizes, machine, device)
        return np.concatenate(list(features_of(sizes, weights, images, names, device, chunk)))

    check_images(index, noticed, store, record, split, dataset=dataset, seed=seed, shares=shares, describe=describe)
