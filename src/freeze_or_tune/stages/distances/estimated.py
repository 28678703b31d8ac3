"""The source's side of the cosine distance where its images are not here: its mean features, estimated."""

from pathlib import Path

from freeze_or_tune.networks.batch_norm import estimated_features
from freeze_or_tune.networks.weights import load_source
from freeze_or_tune.records.distances import MeanFeatures
from freeze_or_tune.stages.features import source_network
from freeze_or_tune.study.backbones import Network


def estimate_mean(sizes: Network, source: Path, destination: Path) -> None:
    """Write the record that measured features have too; UserError if the network does not tell."""
    mean = estimated_features(source_network(sizes, load_source(source)))
    MeanFeatures(images=0, mean=tuple(mean.tolist()), estimated=True).write(destination)
