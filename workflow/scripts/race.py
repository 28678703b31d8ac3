from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.racing import race
from freeze_or_tune.stages.work import Start
from freeze_or_tune.study.settings import Advising, Machine, TrainingSettings

inputs = zip(snakemake.params.sources, snakemake.input.stores, snakemake.input.weights, strict=True)

with logged(snakemake.log[0]):
    race(
        [Path(path) for path in snakemake.input.profiles],
        split=Path(snakemake.input.split),
        starts={source: Start(Path(store), Path(weights)) for source, store, weights in inputs},
        settings=[TrainingSettings.model_validate(settings) for settings in snakemake.params.settings],
        record=Path(snakemake.output.record),
        machine=Machine.model_validate(snakemake.config.get("machine", {})),
        threads=snakemake.threads,
        advising=Advising.model_validate(snakemake.params.advising),
        budget=snakemake.params.budget,
        memory_mb=snakemake.resources.mem_mb,
    )
