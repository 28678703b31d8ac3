from pathlib import Path

from freeze_or_tune.importing import import_network
from freeze_or_tune.job import logged
from freeze_or_tune.settings import Network, Weights

with logged(snakemake.log[0]):
    import_network(
        snakemake.wildcards.source,
        Network.model_validate(snakemake.params.network),
        Weights(file=snakemake.input.weights, mean=snakemake.input.mean),
        downloads=Path(snakemake.scriptdir, "../../config/downloads.csv"),
        destination=Path(snakemake.output.weights),
        record=Path(snakemake.output.record),
    )
