from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.downloads.catalogue import find, read_downloads
from freeze_or_tune.data.downloads.choosing import placed
from freeze_or_tune.data.downloads.fetching import fetch

output = Path(snakemake.output[0])

with logged(snakemake.log[0]):
    table = read_downloads(Path(snakemake.config["downloads"]))
    # By hand at another place than the output: Snakemake would take a file there unchecked.
    fetch(find(table, snakemake.wildcards.dataset, snakemake.wildcards.file), output, placed(output))
