from pathlib import Path

from freeze_or_tune.data.index import read_index
from freeze_or_tune.data.splits import draw, write_split
from freeze_or_tune.data.store import read_rejected
from freeze_or_tune.job import logged

with logged(snakemake.log[0]):
    rejected = read_rejected(Path(snakemake.input.rejected))
    listings = [listing for listing in read_index(Path(snakemake.input.index)) if listing.image not in rejected]
    write_split(draw(listings, **snakemake.params.split), Path(snakemake.output.split))
