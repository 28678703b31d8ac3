"""Stage: the mean features of a source's images, as a file of a few kilobytes for those who do not have the images."""

import tempfile
from pathlib import Path

from freeze_or_tune.data.index import build_index
from freeze_or_tune.data.splits import Draw
from freeze_or_tune.data.store import build_store
from freeze_or_tune.networks.imported import read_imported
from freeze_or_tune.networks.weights import save_pretrained
from freeze_or_tune.records.distances import MeanFeatures
from freeze_or_tune.stages.features import extract_features
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.settings import Machine, Weights
from freeze_or_tune.system.hashing import digest_of


def publish_mean(
    network: Network, weights: Weights, images: Path, reader: str, per_class: int, destination: Path, machine: Machine,
    threads: int, seed: int = 0,
) -> MeanFeatures:  # fmt: skip
    """Write the mean features of at most `per_class` images of each class, as a network with these weights sees them.

    `images` is a folder or an archive that `reader` understands; nothing is kept of it but the mean.
    """
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".mean-") as folder:
        index, store, copied, record = (Path(folder, name) for name in ("i.csv", "s.npy", "w.safetensors", "m.json"))
        build_index(reader, [images], index, None)
        draws = [Draw(seed=seed, n=per_class, val=0, test=0, up_to=True)]
        build_store(
            [images], index, draws, dataset=images.name, size=network.image_size, destination=store, threads=threads
        )  # fmt: skip
        save_pretrained(read_imported(network, weights), copied)
        extract_features(network, copied, store, Path(folder, "f.npy"), Path(folder, "f.csv"), record, machine, threads)
        found = MeanFeatures.read(record)
    about = (
        f"{getattr(network, 'name', 'caffenet')}, crops of {network.crop} of {network.image_size} pixels, weights "
        f"{digest_of(Path(weights.file))[:16]}, {found.images} images of {images.name}"
    )
    published = found.model_copy(update={"about": about})
    published.write(destination)
    return published
