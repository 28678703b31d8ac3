from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.analysis.page.write import write_page

with logged(snakemake.log[0]):
    write_page(
        Path(snakemake.input.results),
        [Path(path) for path in snakemake.input.experiments],
        [Path(path) for path in snakemake.input.samples],
        Path(snakemake.output[0]),
        sources=snakemake.params.sources,
        configfiles=snakemake.params.configfiles,
        one_rate=Path(snakemake.input.one_rate) if snakemake.input.one_rate else None,
    )
