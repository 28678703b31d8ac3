from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.analysis.show.curves import write_curves

with logged(snakemake.log[0]):
    write_curves([Path(path) for path in snakemake.input], Path(snakemake.output[0]))
