from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.samples import contact_sheet

with logged(snakemake.log[0]):
    contact_sheet(
        Path(snakemake.input.store),
        Path(snakemake.input.index),
        Path(snakemake.output[0]),
        dataset=snakemake.wildcards.dataset,
    )
