from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.features import extract_features
from freeze_or_tune.study.backbones import network_of
from freeze_or_tune.study.settings import Machine

with logged(snakemake.log[0]):
    extract_features(
        network_of(snakemake.params.network),
        source=Path(snakemake.input.weights),
        store=Path(snakemake.input.store),
        destination=Path(snakemake.output.features),
        index=Path(snakemake.output.index),
        mean=Path(snakemake.output.mean),
        machine=Machine.model_validate(snakemake.config.get("machine", {})),
        threads=snakemake.threads,
        sample=next(map(Path, snakemake.input.sample), None),
    )
