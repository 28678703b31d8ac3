from pathlib import Path

from freeze_or_tune.analysis.advice.counsel import advise
from freeze_or_tune.system.job import logged

with logged(snakemake.log[0]):
    advise(
        Path(snakemake.input.check),
        distances=[Path(path) for path in snakemake.input.distances],
        evidence=[Path(path) for path in snakemake.input.evidence],
        blocks=snakemake.params.blocks,
        record=Path(snakemake.output.record),
        markdown=Path(snakemake.output.markdown),
        pictures=[Path(snakemake.output.pdf), Path(snakemake.output.png)],
    )
