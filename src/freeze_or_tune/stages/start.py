"""Where a training on one's own images starts."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Start:
    """A source: its weights, and the images at the size of its network."""

    store: Path
    weights: Path
