from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.distances.svm import measure
from freeze_or_tune.study.settings import SvmSettings

with logged(snakemake.log[0]):
    measure(
        source=snakemake.params.source,
        target=snakemake.wildcards.target,
        source_features=Path(snakemake.input.source),
        target_features=Path(snakemake.input.target),
        settings=SvmSettings.model_validate(snakemake.params.svm),
        seed=snakemake.params.seed,
        destination=Path(snakemake.output.record),
    )
