from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.distances.means import measure

with logged(snakemake.log[0]):
    measure(
        snakemake.params.metric,
        source=snakemake.params.source,
        target=snakemake.wildcards.target,
        source_mean=Path(snakemake.input.source),
        target_mean=Path(snakemake.input.target),
        destination=Path(snakemake.output.record),
    )
