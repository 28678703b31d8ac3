from pathlib import Path

from freeze_or_tune.distances.cnn import measure
from freeze_or_tune.job import logged
from freeze_or_tune.settings import CnnSettings

with logged(snakemake.log[0]):
    measure(
        source=snakemake.params.source,
        target=snakemake.wildcards.target,
        source_store=Path(snakemake.input.source),
        target_store=Path(snakemake.input.target),
        settings=CnnSettings.model_validate(snakemake.params.cnn),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        destination=Path(snakemake.output.record),
    )
