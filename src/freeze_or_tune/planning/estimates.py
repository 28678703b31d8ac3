"""Memory and run time that each heavy rule asks a scheduler for, from the study alone. Pure Python.

docs/cluster.md gives the formulas and what they were checked against. They are meant to be a little too much: a job
that asks for too much waits longer in the queue, one that asks for too little is killed and tried again with more.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from tabulate import tabulate

from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import SplitSettings, TrainingSettings
from freeze_or_tune.study.shapes import Shape, shape_of
from freeze_or_tune.study.study import Study

_MB = 2**20
_TORCH_MB, _NUMPY_MB = 900, 500
"""Python with torch or without, and the two small snakemakes that the plugin runs around a job."""
_CUDA_MB = 2500
"""Host memory of a CUDA context and its libraries."""
_COPIES = 3
"""Of a split's images on the host: the mapped store, what was read of it, and its channels turned round."""
_MOST_MB = 64_000
"""More is never asked for at the first attempt: a training whose images do not fit reads them from the disk, and the
system takes back the pages of a store that is being written."""
_WEIGHTS = 8
"""Times the parameters: source, network, gradients, velocities, the best so far, and a state on its way to the disk."""
_SCALED_MB = 256
"""Of training images in float32, less their mean (training/prefix.py)."""
_PROBED, _POOLED = 2000, 10_000
"""Images that are probed with at most, and channels of all blocks of a large network."""
_CHUNK = 250
"""Images at once where no gradients are kept (training/prefix.py)."""
GPU, _CORE = 5e12, 5e9
"""Floating-point operations a second that are counted on: of a GPU, and of one core."""
_SHORTEST = 15
"""Minutes that even a tiny job asks for: a slow file system and the start of Python."""

# Classes of each reader (glyphs: of each alphabet; corals and plankton: those with enough images), and test images a
# class of an official test set.
_CLASSES = {
    "latin-a": 100, "latin-b": 40, "greek": 48, "cyrillic": 26, "armenian": 38, "georgian": 33, "mathematics": 40,
    "arrows": 48, "braille": 63, "chess": 12, "photographs": 8, "textures": 3, "specimens": 5, "digits": 10,
    "solar-cells": 4, "caltech-256": 256,
    "sun397": 397, "sun397-parquet": 397, "mit-indoor": 67, "cub-200": 200, "corals": 8, "plankton": 34,
    "ilsvrc2012": 1000,
}  # fmt: skip
_MANY = 200
"""Classes of any other dataset, which are known only when it is read."""
_OFFICIAL = {"mit-indoor": 20, "cub-200": 30, "ilsvrc2012": 50}
_LISTED = {"ilsvrc2012": 1_331_167, "plankton": 3_400_000}
"""Images of the largest datasets, whether a split uses them or not."""
_OPENING = {"ilsvrc2012": 3600, "sun397": 1800, "sun397-parquet": 1800}
"""Seconds until the first image: a million headers all over 150 GB, on a slow file system; 39 GB to decompress."""
_NAME = 1200
"""Bytes of memory for the name of an image, where it lies in its archive, and its line of the index."""


class Estimate(NamedTuple):
    """What a job asks for at its first attempt; the second asks for twice as much."""

    memory_mb: int
    minutes: int


def _estimate(megabytes: float, seconds: float) -> Estimate:
    return Estimate(min(_MOST_MB, 100 * math.ceil(megabytes / 100)), max(_SHORTEST, 5 * math.ceil(seconds / 300)))


class Counts(NamedTuple):
    """Images of a split."""

    train: int
    val: int
    test: int


def counts_of(study: Study, split: SplitSettings) -> Counts:
    """At most so many images; where a dataset does not say how many classes it has, a guess."""
    classes = classes_of(study, split.dataset)
    reader = study.dataset(split.dataset).reader
    test = {"all": split.test, "official": _OFFICIAL.get(reader, 50), "rest": split.n}[split.pool]
    return Counts(classes * split.n, classes * split.val, classes * test)


def classes_of(study: Study, dataset: str) -> int:
    """Classes of a dataset, those that may be left out included."""
    settings = study.dataset(dataset)
    halved = getattr(settings, "half", None) is not None
    return _CLASSES.get(getattr(settings, "alphabet", settings.reader), _MANY) // (2 if halved else 1)


def stored(study: Study, dataset: str) -> int:
    """Images of a dataset's store, which is the largest split: the others are nested in it."""
    return max(sum(counts_of(study, split)) for split in study.splits_of_dataset(dataset))


def store(study: Study, dataset: str, size: str) -> Estimate:
    """The pages of the new array, all names, and a few photos that are being decoded; 50 images a second once open."""
    images, reader = stored(study, dataset), study.dataset(dataset).reader
    pages, names = images * 3 * int(size) ** 2, _LISTED.get(reader, 0) * _NAME
    return _estimate(_NUMPY_MB + (pages + names) / _MB, _OPENING.get(reader, 0) + images / 50)


def experiment(study: Study, target: str, n: str, scheme: str) -> Estimate:
    """The runs of one (split, scheme)."""
    return _training(study, study.experiment(target, int(n), scheme))


def pretrain(study: Study, source: str) -> Estimate:
    """A source network trained from random values."""
    return _training(study, study.pretraining(source))


def _training(study: Study, settings: TrainingSettings) -> Estimate:
    network, solver, counts = settings.network, settings.solver, counts_of(study, settings.split)
    shape, scheme = shape_of(network), Scheme.parse(settings.scheme)
    pixels = sum(counts) * 3 * network.image_size**2
    classifier = shape.outputs[-1] * classes_of(study, settings.dataset)
    stepped = solver.stepped(scheme)
    learnt = classifier if scheme.depth == 1 and not scheme.tuned else shape.parameters + classifier
    parameters = shape.parameters + classifier + (len(stepped) - 1) * learnt
    # Of AdamW, each beside its copy on its way to the disk.
    second_moments = sum(solver.method_of(one) == "adamw" for one in stepped) * learnt
    megabytes = _TORCH_MB + (_COPIES * pixels + 4 * (_WEIGHTS * parameters + 2 * second_moments)) / _MB
    on_cpu = 0.0 if study.machine.device == "cuda" else _held(settings, shape, counts)
    megabytes += max(on_cpu, _context(study))
    room = study.machine.device != "cuda"  # a GPU may have less memory than its cache would take
    return _estimate(megabytes, operations(study, settings, room) / _speed(study))


def _held(settings: TrainingSettings, shape: Shape, counts: Counts) -> float:
    """Megabytes that a GPU would hold; the cache twice, because it is kept in memory if it fits in half of it."""
    cached = 2 * _cached(settings, shape, counts)
    activations = 4 * (cached + max(_CHUNK, 3 * settings.solver.batch) * shape.activations) / _MB
    return activations + (0 if cached else min(_SCALED_MB, 4 * counts.train * 3 * settings.network.image_size**2 / _MB))


def _context(study: Study) -> int:
    """Megabytes for CUDA, where a job may train on a GPU: which device `auto` finds is known only when it runs."""
    return 0 if study.machine.device == "cpu" else _CUDA_MB


def _prefix(settings: TrainingSettings) -> int:
    """Blocks whose outputs are cached: the frozen ones before live dropout, which follows CaffeNet's sixth."""
    frozen, solver, network = Scheme.parse(settings.scheme).frozen, settings.solver, settings.network
    live = solver.frozen_dropout and isinstance(network, CaffeNet) and network.dropout > 0
    return 0 if not solver.views else min(frozen, 6) if live else frozen


def _cached(settings: TrainingSettings, shape: Shape, counts: Counts) -> int:
    """Numbers that the cache of the frozen prefix holds."""
    cut = _prefix(settings)
    return shape.outputs[cut - 1] * (settings.solver.views * counts.train + counts.val + counts.test) if cut else 0


def operations(study: Study, settings: TrainingSettings, room: bool = True) -> float:
    """Of all runs: the cached prefix once a view; the rest forward and back for each image seen, forward to look.

    What learns counts for each candidate of a search as long as it is trained.
    Without `room` for its cache the prefix is computed for each image seen.
    """
    solver, counts, work = settings.solver, counts_of(study, settings.split), shape_of(settings.network).work
    cut, scheme = _prefix(settings), Scheme.parse(settings.scheme)
    trained = solver.iterations(counts.train) * solver.batch
    looks = solver.evaluations * counts.val + counts.test
    learning = max(cut, scheme.frozen)
    rest = (
        settings.runs * (3 * trained + looks) * (sum(work[cut:learning]) + solver.lanes(scheme) * sum(work[learning:]))
    )
    views = min(solver.views * counts.train, trained) + counts.val + counts.test
    return rest + (views if room else settings.runs * (trained + looks)) * sum(work[:cut])


def _speed(study: Study) -> float:
    return GPU if study.machine.device == "cuda" else _CORE


def features(study: Study, source: str, dataset: str) -> Estimate:
    """The network, and one chunk on its way through it: what comes out goes to the disk."""
    network, images = study.network_of(source), seen(study, source, dataset)
    shape = shape_of(network)
    numbers = 2 * shape.parameters + _CHUNK * shape.activations
    return _estimate(
        _TORCH_MB + _context(study) + 4 * numbers / _MB, images * (shape.operations / _speed(study) + 0.01)
    )


def probe(study: Study, target: str, n: str) -> Estimate:
    """As features, but of so many images at most; then a regression of each block's: minutes where classes are many."""
    shape = shape_of(study.network_of(study.source_of(target)))
    images = min(_PROBED, sum(counts_of(study, study.split(target, int(n)))))
    numbers = 2 * shape.parameters + _CHUNK * shape.activations + 4 * images * _POOLED
    return _estimate(_TORCH_MB + _context(study) + 4 * numbers / _MB, images * (shape.operations / _speed(study) + 0.2))


def svm_distance(study: Study, target: str) -> Estimate:
    """Copies of the drawn features in double precision; coordinate descent over them."""
    numbers = sum(min(images, study.distances.svm.samples) * width for images, width in _sides(study, target))
    return _estimate(_TORCH_MB + 6 * 8 * numbers / _MB, numbers * 10 / 1e6)


def cnn_distance(study: Study, target: str) -> Estimate:
    """The drawn images in full size, then shrunk to 32 pixels a side; 75 million operations each time one is seen."""
    cnn, network = study.distances.cnn, study.network_of(study.source_of(target))
    images = sum(min(images, cnn.samples) for images, _ in _sides(study, target))
    numbers = images * 3 * (network.image_size**2 * 2 + 32**2 * 12)
    return _estimate(_TORCH_MB + 300 + numbers / _MB, cnn.iterations * cnn.batch * 75e6 / _CORE)


def _sides(study: Study, target: str) -> list[tuple[int, int]]:
    """(images, features) of source and target."""
    source = study.source_of(target)
    width = shape_of(study.network_of(source)).outputs[-1]
    return [(seen(study, source, study.dataset_of(name)), width) for name in (source, target)]


def seen(study: Study, source: str, dataset: str) -> int:
    """Images of a dataset that stand for it in distances from a source: of its own its sample, if it has one."""
    chosen = study.source(source)
    if chosen.sample and dataset == chosen.dataset:
        return classes_of(study, dataset) * chosen.sample
    return stored(study, dataset)


RULES: dict[str, Callable[..., Estimate]] = {
    "store": store, "pretrain": pretrain, "features": features, "probe": probe, "experiment": experiment,
    "svm_distance": svm_distance, "cnn_distance": cnn_distance,
}  # fmt: skip
"""By rule; each takes the study and the rule's wildcards."""


def jobs(study: Study) -> list[tuple[str, str, Estimate]]:
    """(rule, of what, estimate) of each job with an estimate, in the order in which they become ready."""
    used = dict.fromkeys((study.dataset_of(name), study.source_of(name)) for name in study.images_of())
    trained = [name for name, source in study.sources.items() if source.pretraining]
    sizes = dict.fromkeys((dataset, study.network_of(source).image_size) for dataset, source in used)
    found = [("store", dataset, store(study, dataset, str(size))) for dataset, size in sizes]
    found += [("pretrain", source, pretrain(study, source)) for source in trained]
    found += [("features", dataset, features(study, source, dataset)) for dataset, source in used]
    found += [("experiment", t, experiment(study, t, str(n), scheme)) for t, n, scheme in study.experiments()]
    if study.probes:
        found += [
            ("probe", name, probe(study, name, str(n))) for name, target in study.targets.items() for n in target.n
        ]
    measured = (f"{metric}_distance" for metric in study.distances.metrics)
    for rule in (rule for rule in measured if rule in RULES):
        found += [(rule, target, RULES[rule](study, target)) for target in study.targets]
    return found


def table(study: Study) -> str:
    """A Markdown table: for each rule and target how many jobs there are, and the most that one of them asks for."""
    rows: dict[tuple[str, str], list[Estimate]] = {}
    for rule, name, estimate in jobs(study):
        rows.setdefault((rule, name), []).append(estimate)
    lines = [
        [
            rule,
            name,
            len(asked),
            round(max(one.memory_mb for one in asked) / 1024, 1),
            max(one.minutes for one in asked),
        ]
        for (rule, name), asked in rows.items()
    ]
    return str(tabulate(lines, ["rule", "of", "jobs", "memory, GiB at most", "minutes at most"], tablefmt="pipe"))
