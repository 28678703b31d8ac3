from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.study.settings import Machine, TrainingSettings

with logged(snakemake.log[0]):
    run_experiment(
        TrainingSettings.model_validate(snakemake.params.settings),
        store=Path(snakemake.input.store),
        split=Path(snakemake.input.split),
        source=Path(snakemake.input.weights),
        destination=Path(snakemake.output.record),
        machine=Machine.model_validate(snakemake.config.get("machine", {})),
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
        model=Path(snakemake.output.model) if snakemake.output.get("model") else None,
    )
