from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.index import build_index
from freeze_or_tune.study.opening import Opening

with logged(snakemake.log[0]):
    build_index(
        snakemake.params.reader,
        [Path(path) for path in snakemake.input.files],
        Path(snakemake.output.index),
        snakemake.params.smallest_class,
        snakemake.params.half,
        opening=Opening(**snakemake.params.opening),
        known=snakemake.params.digests,
    )
