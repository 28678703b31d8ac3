from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.importing import import_network
from freeze_or_tune.study.backbones import network_of
from freeze_or_tune.study.settings import Weights

with logged(snakemake.log[0]):
    import_network(
        snakemake.wildcards.source,
        network_of(snakemake.params.network),
        Weights(file=snakemake.input.weights, mean=snakemake.input.mean or None, by_order=snakemake.params.by_order),
        downloads=Path(snakemake.config["downloads"]),
        destination=Path(snakemake.output.weights),
        record=Path(snakemake.output.record),
    )
