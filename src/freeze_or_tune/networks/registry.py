"""What timm knows of its networks with weights, as the table that studies are checked against (`study/named.py`).

Written with `python -m freeze_or_tune.networks.registry`, which builds a thousand networks without values and takes
some minutes.
"""

from collections.abc import Iterator

import timm
import torch

from freeze_or_tune.networks.families import blocks_of
from freeze_or_tune.networks.zoo import configuration
from freeze_or_tune.study.named import TABLE, Named, nearest_that_can_be_cut
from freeze_or_tune.system.csv_files import write_table
from freeze_or_tune.system.errors import UserError


def named(architecture: str, blocks: int) -> Iterator[Named]:
    """An architecture with each of its weights that the Hub has, first those that timm takes where no tag is given."""
    default = configuration(architecture)
    tags = timm.list_pretrained(f"{architecture}.*")
    for name in sorted(tags, key=lambda name: (name != f"{architecture}.{default.tag}", name)):
        known = configuration(name)
        channels, height, width = known.input_size
        if known.hf_hub_id and channels == 3 and height == width:
            yield Named(name, blocks, height, known.crop_pct, known.hf_hub_id, known.license or "see page")


def blocks_by_name(architecture: str) -> int | None:
    """How many blocks a network is cut into, built without values; None if it cannot be."""
    if nearest_that_can_be_cut(architecture):
        return None
    with torch.device("meta"):
        model = timm.create_model(architecture)
    try:
        return len(blocks_of(model))
    except UserError:
        return None


def write() -> None:
    """Write the table anew; repositories that have the network's own name are left out."""
    counted = (
        (name, blocks_by_name(name)) for name in sorted({name.partition(".")[0] for name in timm.list_pretrained()})
    )
    rows = [row for name, blocks in counted if blocks for row in named(name, blocks)]
    write_table(
        TABLE,
        Named._fields,
        [row._replace(repository="" if row.repository == f"timm/{row.name}" else row.repository) for row in rows],
    )


if __name__ == "__main__":
    write()
