from pathlib import Path

from freeze_or_tune.data.splits import Draw
from freeze_or_tune.data.store import build_store
from freeze_or_tune.job import logged

with logged(snakemake.log[0]):
    build_store(
        [Path(path) for path in snakemake.input.files],
        Path(snakemake.input.index),
        [Draw(**split) for split in snakemake.params.splits],
        dataset=snakemake.wildcards.dataset,
        size=int(snakemake.wildcards.size),
        destination=Path(snakemake.output.store),
        threads=snakemake.threads,
        patch=snakemake.params.patch,
    )
