"""Stage: the penultimate layer's responses (fc7 after its ReLU) of all images of a store."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from freeze_or_tune.backbones import Network
from freeze_or_tune.data.store import Store
from freeze_or_tune.files import replacing
from freeze_or_tune.networks.build import build, scale_of
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.weights import Pretrained, load_pretrained
from freeze_or_tune.settings import Machine
from freeze_or_tune.training.augment import Preprocessing, in_order
from freeze_or_tune.training.device import prepare_device

_CHUNK = 250


def source_network(sizes: Network, pretrained: Pretrained) -> Layered:
    """The source network with all its blocks, the classifier included, in evaluation mode."""
    network = build(sizes, pretrained.classes, seed=0)
    pretrained.copy_to(network, range(1, network.blocks + 1))
    return network.eval()


def extract_features(
    sizes: Network, source: Path, store: Path, destination: Path, index: Path, machine: Machine, threads: int
) -> None:
    """Write float32 [N, D] to `destination` (.npy) and the N images' paths to `index` (.csv, column image)."""
    torch_device = prepare_device(machine.device, threads)
    pretrained = load_pretrained(source)
    network = source_network(sizes, pretrained).to(torch_device)
    images = Store(store)
    preprocessing = Preprocessing(pretrained.mean.to(torch_device), sizes.crop, scale_of(sizes, torch_device))
    features = np.concatenate(list(_chunks(network, images, preprocessing, sizes.bgr)))
    with replacing(index) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image"], *([name] for name in images.names)])
    with replacing(destination) as temporary:
        np.save(temporary, features)


def _chunks(network: Layered, images: Store, preprocessing: Preprocessing, bgr: bool) -> Iterator[np.ndarray]:
    for start in range(0, len(images), _CHUNK):
        pixels = in_order(torch.from_numpy(images.images(images.names[start : start + _CHUNK])), bgr)
        with torch.no_grad():
            yield (
                network.features(preprocessing.centre_views(pixels.to(preprocessing.mean.device))).float().cpu().numpy()
            )
