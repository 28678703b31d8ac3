from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.experiment import pretrain
from freeze_or_tune.study.settings import Machine, TrainingSettings

with logged(snakemake.log[0]):
    pretrain(
        TrainingSettings.model_validate(snakemake.params.settings),
        store=Path(snakemake.input.store),
        split=Path(snakemake.input.split),
        weights=Path(snakemake.output.weights),
        destination=Path(snakemake.output.record),
        machine=Machine.model_validate(snakemake.config.get("machine", {})),
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
    )
