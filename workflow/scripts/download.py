from pathlib import Path

from freeze_or_tune.data.downloads import Download, fetch
from freeze_or_tune.job import logged

with logged(snakemake.log[0]):
    fetch(Download.model_validate(snakemake.params.download), Path(snakemake.output[0]))
