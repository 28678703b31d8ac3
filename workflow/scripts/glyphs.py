from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.data.builtin import render_glyphs

with logged(snakemake.log[0]):
    render_glyphs(snakemake.wildcards.alphabet, int(snakemake.wildcards.images), Path(snakemake.output[0]))
