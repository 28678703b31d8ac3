"""What a study takes in all: bytes on disk and hours of a GPU for each stage. Pure Python, from the study alone."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tabulate import tabulate

from freeze_or_tune.data.downloads.catalogue import Download
from freeze_or_tune.planning.estimates import GPU, operations, seen, stored
from freeze_or_tune.study.shapes import shape_of
from freeze_or_tune.study.study import Study

_GB = 1e9


def disk(study: Study, downloads: Iterable[Download]) -> Iterator[tuple[str, str, float]]:
    """(stage, of what, gigabytes); of downloads those whose size is published."""
    files = {Path(file).name for name in study.used_datasets() for file in study.dataset(name).files}
    files |= {Path(weights.file).name for weights in study.imported().values()}
    sizes: Counter[str] = Counter()
    for row in downloads:
        sizes[row.dataset] += row.bytes or 0 if row.file in files else 0
    yield from (("download", name, size / _GB) for name, size in sizes.items() if size)
    pairs = dict.fromkeys((study.dataset_of(name), study.source_of(name)) for name in study.images_of())
    for dataset, size in dict.fromkeys((dataset, study.network_of(source).image_size) for dataset, source in pairs):
        yield "store", dataset, stored(study, dataset) * 3 * size**2 / _GB
    for dataset, source in pairs:
        yield (
            "features",
            dataset,
            4 * seen(study, source, dataset) * shape_of(study.network_of(source)).outputs[-1] / _GB,
        )
    for source in study.sources:
        yield "networks", source, 4 * shape_of(study.network_of(source)).parameters / _GB


def bytes_on_disk(study: Study, downloads: Iterable[Download]) -> dict[str, float]:
    """What `disk` lists, in bytes, by the folder in which it lies."""
    found = {"resources": 0.0, "results": 0.0}
    for stage, _, gigabytes in disk(study, downloads):
        found["resources" if stage == "download" else "results"] += _GB * gigabytes
    return found


def gpu_hours(study: Study) -> Iterator[tuple[str, str, float]]:
    """(stage, of what, hours of one GPU at the speed that estimates count on)."""
    for name, source in study.sources.items():
        if source.pretraining:
            yield "pretrain", name, operations(study, study.pretraining(name)) / GPU / 3600
    for target in study.targets:
        found = [study.experiment(name, n, scheme) for name, n, scheme in study.experiments() if name == target]
        yield "experiment", target, sum(operations(study, settings) for settings in found) / GPU / 3600


def tables(study: Study, downloads: Iterable[Download]) -> str:
    """Two Markdown tables, disk and GPU-hours, each with its sum."""
    parts = ((disk(study, downloads), "gigabytes"), (gpu_hours(study), "GPU-hours"))
    return "\n\n".join(_table(list(rows), unit) for rows, unit in parts)


def _table(rows: list[tuple[str, str, float]], unit: str) -> str:
    total = ("all", "", sum(amount for *_, amount in rows))
    lines = [(stage, name, f"{amount:,.1f}") for stage, name, amount in (*rows, total)]
    return str(tabulate(lines, ["stage", "of", unit], tablefmt="pipe", disable_numparse=True))
