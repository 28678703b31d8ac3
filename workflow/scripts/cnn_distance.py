from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.distances.cnn import Side, measure
from freeze_or_tune.study.settings import CnnSettings

with logged(snakemake.log[0]):
    measure(
        source=snakemake.params.source,
        target=snakemake.wildcards.target,
        source_side=Side(*map(Path, snakemake.input.source)),
        target_side=Side(*map(Path, snakemake.input.target)),
        settings=CnnSettings.model_validate(snakemake.params.cnn),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        destination=Path(snakemake.output.record),
    )
