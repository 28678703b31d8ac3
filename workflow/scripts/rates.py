from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.analysis.show.rates import rates

with logged(snakemake.log[0]):
    rates(Path(snakemake.input[0]), [Path(path) for path in snakemake.output])
