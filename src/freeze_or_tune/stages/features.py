"""Stage: the penultimate layer's responses (fc7 after its ReLU) of the images of a store, and their mean."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from freeze_or_tune.data.splits import training_images
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.build import build, scale_of
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.weights import Pretrained, load_source
from freeze_or_tune.records.distances import MeanFeatures
from freeze_or_tune.stages.memory import chunk_for
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system.csv_files import write_table
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import replacing
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.cache import CHUNK
from freeze_or_tune.training.device import prepare_device


def source_network(sizes: Network, pretrained: Pretrained) -> Layered:
    """The source network with all its blocks, the classifier included, in evaluation mode."""
    network = build(sizes, pretrained.classes, seed=0, drawn_from=sizes.blocks + 1)
    pretrained.copy_to(network, range(1, network.blocks + 1))
    return network.eval()


def extract_features(
    sizes: Network, source: Path, store: Path, destination: Path, index: Path, mean: Path, machine: Machine,
    threads: int, sample: Path | None = None,
) -> None:  # fmt: skip
    """Write float32 [N, D] to `destination` (.npy), the N images' paths to `index` (.csv, column image), and the mean.

    N images: all of the store, or the training images of the split `sample`. However many they are, only a few of them
    are in memory at a time.
    """
    device = prepare_device(machine, threads)
    images = Store(store)
    names = training_images(sample) if sample else images.names
    chunks = features_of(sizes, source, images, names, device, chunk_for(sizes, machine, device))
    record = write_features(chunks, len(names), destination)
    write_table(index, ("image",), [(name,) for name in names])
    record.write(mean)


def features_of(
    sizes: Network, source: Path, images: Store, names: Sequence[str], device: torch.device, chunk: int = CHUNK
) -> Iterator[NDArray[np.float32]]:
    """The penultimate layer's responses [n, D] to images of a store, at most `chunk` at a time."""
    pretrained = load_source(source)
    network = source_network(sizes, pretrained).to(device)
    preprocessing = Preprocessing(pretrained.mean.to(device), sizes.crop, scale_of(sizes, device), bgr=sizes.bgr)
    for (features,) in in_chunks(lambda views: [network.features(views)], images, names, preprocessing, chunk):
        yield features.numpy()


def write_features(chunks: Iterable[NDArray[np.float32]], rows: int, destination: Path) -> MeanFeatures:
    """Write chunks [n, D] one after the other as one array [rows, D], and return their mean, summed in float64.

    UserError if a feature is not a finite number. As a stream and not into mapped memory, whose pages count as the
    job's until they are on the disk.
    """
    total = np.zeros(1)
    with replacing(destination) as temporary, temporary.open("wb") as file:
        for number, chunk in enumerate(chunks):
            if number == 0:
                header = {"descr": "<f4", "fortran_order": False, "shape": (rows, chunk.shape[1])}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(chunk, "<f4").data)
            total = total + chunk.sum(axis=0, dtype=np.float64)
        if not np.isfinite(total).all():
            raise UserError(
                "some features are not finite: the source network has diverged; pretrain it at a lower rate"
            )
    return MeanFeatures(images=rows, mean=tuple(total / rows))


def in_chunks(
    compute: Callable[[Tensor], list[Tensor]], images: Store, names: Sequence[str], preprocessing: Preprocessing,
    chunk: int = CHUNK,
) -> Iterator[list[Tensor]]:  # fmt: skip
    """What `compute` makes of the centre crops of images, a few at a time: float32 on the CPU."""
    for start in range(0, len(names), chunk):
        pixels = torch.from_numpy(images.images(names[start : start + chunk]))
        views = preprocessing.centre_views(pixels.to(preprocessing.mean.device).flip(-1))
        with torch.no_grad():
            yield [outputs.float().cpu() for outputs in compute(views)]
