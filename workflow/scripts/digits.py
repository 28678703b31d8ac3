from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.builtin import export_digits

with logged(snakemake.log[0]):
    export_digits(Path(snakemake.output[0]))
