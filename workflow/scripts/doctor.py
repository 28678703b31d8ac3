from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.checkup import write_checkup
from freeze_or_tune.study.reading import load_study

with logged(snakemake.log[0]):
    write_checkup(
        load_study(snakemake.config),
        needed=snakemake.params.needed,
        threads=snakemake.threads,
        destination=Path(snakemake.output[0]),
    )
