from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.splits import Draw
from freeze_or_tune.data.store import draw_split

with logged(snakemake.log[0]):
    draw_split(
        Path(snakemake.input.index),
        Path(snakemake.input.rejected),
        Path(snakemake.output.split),
        Path(snakemake.output.counts),
        dataset=snakemake.params.dataset,
        what=Draw(**snakemake.params.draw),
    )
