"""Stage: a look at one's own images; near copies also with the eyes of a source's network."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from freeze_or_tune.data.own.checking import check_images
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.build import scale_of
from freeze_or_tune.networks.weights import load_source
from freeze_or_tune.stages.features import in_chunks, source_network
from freeze_or_tune.stages.memory import chunk_for
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.settings import Advising, Machine
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.device import prepare_device


def look_at(
    sizes: Network, weights: Path, index: Path, noticed: Path, store: Path, record: Path, split: Path, *, dataset: str,
    seed: int, shares: Advising, machine: Machine, threads: int,
) -> None:  # fmt: skip
    """`check_images` with the features of the source network in `weights`, computed once it is known what is of use."""
    device = prepare_device(machine, threads)
    check_images(
        index, noticed, store, record, split, dataset=dataset, seed=seed, shares=shares,
        describe=partial(described, sizes, weights, chunk_for(sizes, machine, device), device),
    )  # fmt: skip


def described(
    sizes: Network, weights: Path, chunk: int, device: torch.device, store: Store, names: Sequence[str]
) -> NDArray[np.float32]:
    """The penultimate layer's responses [N, D] to images of a store, `chunk` at a time."""
    pretrained = load_source(weights)
    network = source_network(sizes, pretrained).to(device)
    preprocessing = Preprocessing(pretrained.mean.to(device), sizes.crop, scale_of(sizes, device), bgr=sizes.bgr)
    chunks = in_chunks(lambda views: [network.features(views)], store, names, preprocessing, chunk)
    return np.concatenate([features.numpy() for (features,) in chunks])
