from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.looking import look_at
from freeze_or_tune.study.backbones import network_of
from freeze_or_tune.study.settings import Advising, Machine

with logged(snakemake.log[0]):
    look_at(
        network_of(snakemake.params.network),
        weights=Path(snakemake.input.weights),
        index=Path(snakemake.input.index),
        noticed=Path(snakemake.input.noticed),
        store=Path(snakemake.input.store),
        record=Path(snakemake.output.record),
        split=Path(snakemake.output.split),
        dataset=snakemake.wildcards.dataset,
        seed=snakemake.params.seed,
        shares=Advising.model_validate(snakemake.params.shares),
        machine=Machine.model_validate(snakemake.config.get("machine", {})),
        threads=snakemake.threads,
    )
