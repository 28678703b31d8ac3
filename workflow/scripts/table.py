from pathlib import Path

from freeze_or_tune.analysis.tables import table1, table2, table3
from freeze_or_tune.job import logged

with logged(snakemake.log[0]):
    write = {"1": table1, "2": table2, "3": table3}[snakemake.wildcards.number]
    write(Path(snakemake.input[0]), Path(snakemake.output.csv), Path(snakemake.output.markdown))
