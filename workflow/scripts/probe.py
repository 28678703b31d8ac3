from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.probing import probe
from freeze_or_tune.study.backbones import network_of
from freeze_or_tune.study.settings import Machine

with logged(snakemake.log[0]):
    probe(
        network_of(snakemake.params.network),
        source=snakemake.params.source,
        weights=Path(snakemake.input.weights),
        store=Path(snakemake.input.store),
        split=Path(snakemake.input.split),
        index=Path(snakemake.input.index),
        record=Path(snakemake.output.record),
        mean=Path(snakemake.output.mean),
        machine=Machine.model_validate(snakemake.config.get("machine", {})),
        threads=snakemake.threads,
        seed=snakemake.params.seed,
    )
