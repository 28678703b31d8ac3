"""Stage: how well one's images are told apart by the outputs of each block of a source network.

It takes no images of the source and no training of the network: each block's outputs are pooled over places, and
scikit-learn's nearest neighbours and logistic regression are cross-validated on them. Images that test take no part.
"""

import time
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from freeze_or_tune.analysis.statistics.shares import wilson
from freeze_or_tune.data.index import read_index
from freeze_or_tune.data.splits import Row, read_rows
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.build import scale_of
from freeze_or_tune.networks.weights import load_source
from freeze_or_tune.records.distances import MeanFeatures
from freeze_or_tune.records.probes import Mistake, Probe, Profile, best_of
from freeze_or_tune.stages.features import in_chunks, source_network
from freeze_or_tune.stages.memory import activations_of, chunk_for
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system.hashing import stable_digest
from freeze_or_tune.system.text import valid
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.device import prepare_device

FOLDS = 5
MOST = 2000
"""Images that are probed with: with more, an accuracy's interval is narrower than what separates sources."""
NEIGHBOURS = 5

SHOWN = 12
"""Mistakes that are kept."""

Features = NDArray[np.float32]
Labels = NDArray[np.int64]
Folds = list[tuple[Labels, Labels]]
"""Places of the images to learn from, and of those to be told."""


def probe(
    sizes: Network, source: str, weights: Path, store: Path, split: Path, index: Path, record: Path, mean: Path,
    machine: Machine, threads: int, seed: int,
) -> None:  # fmt: skip
    """Write the profile of a source's network on a split's images that train and validate, and their mean features.

    `index` says which images belong to one group: they are never on both sides of a fold.
    """
    device = prepare_device(machine, threads)
    pretrained = load_source(weights)
    network = source_network(sizes, pretrained).to(device)
    rows = [row for row in read_rows(split) if row.subset != "test"]
    rows = sorted(rows, key=lambda row: stable_digest(seed, row.image))[:MOST]
    preprocessing = Preprocessing(pretrained.mean.to(device), sizes.crop, scale_of(sizes, device), bgr=sizes.bgr)
    activations = activations_of(network, preprocessing.centre_views(_pixels(Store(store), rows[:1], device)))
    start = time.perf_counter()
    images, names = Store(store), [row.image for row in rows]
    chunk = chunk_for(sizes, machine, device)
    blocks = _joined(in_chunks(network.pooled, images, names, preprocessing, chunk))
    seconds = time.perf_counter() - start
    mirrored = _joined(in_chunks(lambda views: network.pooled(views.flip(-1)), images, names, preprocessing, chunk))
    labels, folds = np.array([row.label for row in rows]), _folds(rows, index)
    with threadpool_limits(1):  # small products: several threads wait for each other longer than they compute
        probes = [_probe(number, features, labels, folds) for number, features in enumerate(blocks, start=1)]
        mistakes = _mistakes(rows, blocks[-1], labels, folds)
        best = best_of(probes).block - 1
        turned = _told(_logistic(), blocks[best], labels, folds, mirrored[best]) == _truth(labels, folds)
    MeanFeatures(images=len(rows), mean=tuple(blocks[-1].mean(0, dtype=np.float64).tolist())).write(mean)
    Profile(
        source=source, images=len(rows), classes=len(set(labels.tolist())), folds=len(folds), blocks=tuple(probes),
        mistakes=mistakes, mirrored=float(turned.mean()), images_per_second=len(rows) / seconds,
        activations=activations, parameters=sum(parameter.numel() for parameter in network.parameters()),
    ).write(record)  # fmt: skip


def _joined(chunks: Iterable[list[torch.Tensor]]) -> list[Features]:
    """The outputs of each block for all images."""
    return [torch.cat(parts).numpy() for parts in zip(*chunks, strict=True)]


def _pixels(store: Store, rows: Sequence[Row], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(store.images([row.image for row in rows])).flip(-1).to(device)


def _folds(rows: Sequence[Row], index: Path) -> Folds:
    """At most FOLDS, so that each class is on both sides of each if it can be; images of a group are on one.

    Where so few groups are left that nothing could be learnt, images are told apart as if they had none.
    """
    labels = np.array([row.label for row in rows])
    group_of = {listing.image: listing.group for listing in read_index(index)}
    groups = [row.group or group_of[row.image] or row.image for row in rows]
    held = Counter(label for label, _ in set(zip(labels.tolist(), groups, strict=True)))
    together = len(set(groups))
    most = max(2, min(FOLDS, together, int(np.bincount(labels).max())))
    count = min((groups for groups in held.values() if 1 < groups < most), default=most)

    def drawn(kind: type[StratifiedKFold | StratifiedGroupKFold]) -> Folds:
        parts = kind(count, shuffle=True, random_state=0).split(labels[:, None], labels, groups)
        return [(learn, tell) for learn, tell in parts if len(tell) and len(set(labels[learn])) > 1]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer images than folds, or groups
        whole = 1 < together < len(groups) and drawn(StratifiedGroupKFold)
        return whole or drawn(StratifiedKFold)


def _probe(block: int, features: Features, labels: Labels, folds: Folds) -> Probe:
    neighbours, logistic = (
        _told(model, features, labels, folds, features)
        for model in (KNeighborsClassifier(NEIGHBOURS, metric="cosine"), _logistic())
    )
    told = _truth(labels, folds)
    right = int((logistic == told).sum())
    low, high = wilson(right, len(told))
    return Probe(
        block=block, width=features.shape[1], neighbours=float((neighbours == told).mean()),
        logistic=right / len(told), low=low, high=high,
    )  # fmt: skip


def _told(model: Any, features: Features, labels: Labels, folds: Folds, asked: Features) -> Labels:
    """What a classifier that has not learnt from an image makes of its features in `asked`, fold by fold."""
    return np.concatenate([_taught(model, features, labels, learn).predict(asked[tell]) for learn, tell in folds])


def _truth(labels: Labels, folds: Folds) -> Labels:
    return labels[np.concatenate([tell for _, tell in folds])]


def _mistakes(rows: Sequence[Row], features: Features, labels: Labels, folds: Folds) -> tuple[Mistake, ...]:
    """What a classifier that has not learnt from an image is wrong about, the surest first."""
    name_of = {row.label: valid(row.class_name) for row in rows}
    found = []
    for learn, tell in folds:
        model = _taught(_logistic(), features, labels, learn)
        for place, probabilities in zip(tell, model.predict_proba(features[tell]), strict=True):
            answer = model.classes_[probabilities.argmax()]
            if answer != labels[place] and valid(rows[place].image) == rows[place].image:
                found.append(Mistake(
                    image=rows[place].image, label=name_of[labels[place]], answer=name_of[answer],
                    probability=float(probabilities.max()),
                ))  # fmt: skip
    return tuple(sorted(found, key=lambda mistake: -mistake.probability)[:SHOWN])


def _logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def _taught(model: Any, features: Features, labels: Labels, learn: Labels) -> Any:
    if isinstance(model, KNeighborsClassifier):
        model.set_params(n_neighbors=min(NEIGHBOURS, len(learn)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few images a class, and the end of the iterations
        return model.fit(features[learn], labels[learn])
