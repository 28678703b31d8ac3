from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.downloads.catalogue import find, read_downloads
from freeze_or_tune.data.downloads.fetching import fetch

output = Path(snakemake.output[0])
# Where a person puts it. Not at the output: Snakemake would take a file there unchecked.
placed = output.parents[2] / "manual" / snakemake.wildcards.dataset / snakemake.wildcards.file

with logged(snakemake.log[0]):
    table = read_downloads(Path(snakemake.config["downloads"]))
    fetch(find(table, snakemake.wildcards.dataset, snakemake.wildcards.file), output, placed)
