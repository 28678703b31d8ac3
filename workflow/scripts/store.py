from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.splits import Draw
from freeze_or_tune.data.store import build_store
from freeze_or_tune.study.opening import Opening

splits = snakemake.params.splits

with logged(snakemake.log[0]):
    build_store(
        [Path(path) for path in snakemake.input.files],
        Path(snakemake.input.index),
        None if splits is None else [Draw(**split) for split in splits],
        dataset=snakemake.wildcards.dataset,
        size=int(snakemake.wildcards.size),
        destination=Path(snakemake.output.store),
        threads=snakemake.threads,
        patch=snakemake.params.patch,
        orientation=snakemake.params.orientation,
        value_range=snakemake.params.range,
        opening=Opening(**snakemake.params.opening),
    )
