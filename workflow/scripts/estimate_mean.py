from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.distances.estimated import estimate_mean
from freeze_or_tune.study.backbones import network_of

with logged(snakemake.log[0]):
    estimate_mean(
        network_of(snakemake.params.network),
        source=Path(snakemake.input.weights),
        destination=Path(snakemake.output.mean),
    )
