"""The source's side of the cosine distance where its images are not here: its mean features, estimated."""

from pathlib import Path

import numpy as np

from freeze_or_tune.backbones import Network
from freeze_or_tune.features import source_network
from freeze_or_tune.files import replacing
from freeze_or_tune.networks.statistics import estimated_features
from freeze_or_tune.networks.weights import load_pretrained


def estimate_mean(sizes: Network, source: Path, destination: Path) -> None:
    """Write float32 [1, D] (.npy), as if of one image; UserError if the network does not tell."""
    mean = estimated_features(source_network(sizes, load_pretrained(source)))
    with replacing(destination) as temporary:
        np.save(temporary, mean.float().numpy()[None])
