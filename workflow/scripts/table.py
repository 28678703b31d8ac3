from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.analysis.show.plot import table

with logged(snakemake.log[0]):
    table(Path(snakemake.input[0]), int(snakemake.wildcards.number), [Path(path) for path in snakemake.output])
