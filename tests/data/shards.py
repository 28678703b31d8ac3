"""SUN397 in parquet files as the Hub has it, by the Hub's own library: official labels, names of images lost."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

OFFICIAL = ("/a/abbey", "/c/church/outdoor", "/t/track/outdoor")


def sun_shards(folder: Path, files: Mapping[str, bytes], count: int, classes: Sequence[str] = OFFICIAL) -> Path:
    """Write the images of the original archive's `files` into `count` files, by `classes` in the order of OFFICIAL."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(classes))})
    labels = {name: i for name in files for i, one in enumerate(OFFICIAL) if f"{one}/sun_" in name}
    images = [{"bytes": files[name], "path": None} for name in labels]
    table = datasets.Dataset.from_dict({"image": images, "label": list(labels.values())}, features=features)
    folder.mkdir(parents=True)
    for i in range(count):
        name = f"train-{i:05d}-of-{count:05d}.parquet"
        table.shard(count, i, contiguous=False).to_parquet(folder / name)
    return folder
