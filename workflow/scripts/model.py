from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.adaptation import make_model
from freeze_or_tune.stages.work import Start
from freeze_or_tune.study.settings import Machine, TrainingSettings

inputs = zip(snakemake.params.sources, snakemake.input.stores, snakemake.input.weights, strict=True)

with logged(snakemake.log[0]):
    make_model(
        Path(snakemake.input.advice),
        split=Path(snakemake.input.split),
        starts={source: Start(Path(store), Path(weights)) for source, store, weights in inputs},
        settings=[TrainingSettings.model_validate(settings) for settings in snakemake.params.settings],
        weights=Path(snakemake.output.weights),
        record=Path(snakemake.output.record),
        card=Path(snakemake.output.card),
        pictures=[Path(snakemake.output.png), Path(snakemake.output.pdf)],
        machine=Machine.model_validate(snakemake.config.get("machine", {})),
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
    )
