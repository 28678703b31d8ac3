from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.analysis.show.plot import figure

with logged(snakemake.log[0]):
    figure(Path(snakemake.input[0]), int(snakemake.wildcards.number), [Path(path) for path in snakemake.output])
