from pathlib import Path

from freeze_or_tune.data.index import build_index
from freeze_or_tune.job import logged

with logged(snakemake.log[0]):
    dataset = snakemake.params.dataset
    build_index(
        dataset["reader"],
        Path(snakemake.input.archive),
        Path(snakemake.output.index),
        dataset.get("smallest_class", dataset.get("images")),
    )
