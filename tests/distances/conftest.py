"""Stores and feature files as the earlier stages leave them."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from freeze_or_tune.data.tables import write_table


@pytest.fixture(autouse=True)
def torch_as_before() -> Iterator[None]:
    """Undo what preparing a device sets for the whole process."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
    torch.set_flush_denormal(False)


def stored(path: Path, pixels: np.ndarray) -> Path:
    """Write a store of images uint8 [N, S, S, 3]."""
    np.save(path, pixels)
    rows = [(f"{i:04}.png", f"{zlib.crc32(image.tobytes()):08x}") for i, image in enumerate(pixels)]
    write_table(path.with_suffix(".csv"), ("image", "crc32"), rows)
    return path


def saved(path: Path, features: np.ndarray) -> Path:
    """Write a feature file."""
    np.save(path, features.astype(np.float32))
    return path
