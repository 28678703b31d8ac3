from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.own.checking import check_images
from freeze_or_tune.study.settings import Advising

with logged(snakemake.log[0]):
    check_images(
        index=Path(snakemake.input.index),
        noticed=Path(snakemake.input.noticed),
        store=Path(snakemake.input.store),
        record=Path(snakemake.output.record),
        split=Path(snakemake.output.split),
        dataset=snakemake.wildcards.dataset,
        seed=snakemake.params.seed,
        shares=Advising.model_validate(snakemake.params.shares),
    )
