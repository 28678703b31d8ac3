from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.downloads.hub_datasets import fetch_dataset

with logged(snakemake.log[0]):
    fetch_dataset(Path(snakemake.output[0]))
