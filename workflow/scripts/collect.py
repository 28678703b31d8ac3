from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.analysis.results.collecting import Searched, collect

with logged(snakemake.log[0]):
    collect(
        [Path(path) for path in snakemake.input.experiments],
        [Path(path) for path in snakemake.input.distances],
        Path(snakemake.output[0]),
        [Path(path) for path in snakemake.input.splits],
        Searched(snakemake.params.rule, Path(snakemake.output.one_rate), Path(snakemake.output.candidates))
        if snakemake.params.rule
        else None,
        [Path(path) for path in snakemake.input.probes],
    )
