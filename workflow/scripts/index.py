from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.index import build_index

with logged(snakemake.log[0]):
    build_index(
        archive=[Path(path) for path in snakemake.input.files],
        destination=Path(snakemake.output.index),
        smallest_class=snakemake.params.smallest_class,
        half=snakemake.params.half,
        known=snakemake.params.digests,
        **snakemake.params.opening,
    )
