from pathlib import Path

from freeze_or_tune.analysis.figures import figure1, figure2, figure3
from freeze_or_tune.job import logged

with logged(snakemake.log[0]):
    draw = {"1": figure1, "2": figure2, "3": figure3}[snakemake.wildcards.number]
    draw(Path(snakemake.input[0]), [Path(snakemake.output.pdf), Path(snakemake.output.png)])
