"""Stores and feature files as the earlier stages leave them."""

import zlib
from pathlib import Path

import numpy as np

from freeze_or_tune.system.csv_files import write_table


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
