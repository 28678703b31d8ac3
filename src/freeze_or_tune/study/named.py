"""timm's networks that have weights, by name. Pure Python: the Snakefile asks before anything runs, and timm is slow.

`named.csv` is written from timm's own registry (`networks/registry.py`, which a test holds it to) and read only when a
study has such a name.
"""

import math
import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from freeze_or_tune.system.csv_files import read_table

TABLE = Path(__file__).with_name("named.csv")
WEIGHTS = "model.safetensors"
"""What repositories of the Hub call the file."""

_UNCUT = {
    r"densenet|dla|dpn|googlenet|hrnet|inception|nasnet|pnasnet|res2net|vovnet|xception": "resnet50",
    r"fastvit|ghostnet|levit|mobilenetv[1345]|mobileone|mobilevit|repvgg": "efficientnet_b0",
    r"beit|cait|coat|crossvit|eva|maxvit|metaformer|mixer|poolformer|pvt|twins|volo|xcit": "vit_base_patch16_224",
}
"""Beginnings of the names of families that are not cut into blocks (networks/families.py), and the nearest that are."""


class Named(NamedTuple):
    """A network of timm's with the tag of its weights: a row of the table."""

    name: str
    blocks: int
    pixels: int
    """A side of what it was trained on."""
    crop: float
    """Share of an image's side that it sees when it is tested."""
    repository: str
    """On the Hugging Face Hub."""
    licence: str

    @property
    def file(self) -> str:
        """Where its weights are fetched to, from the directory that snakemake is started in."""
        return f"resources/downloads/{self.name}/{WEIGHTS}"

    def sizes(self, image_size: int = 0, crop: int = 0) -> dict[str, int]:
        """Sizes of images and crops; each as timm has it for this network where it is 0."""
        crop = crop or (round(image_size * self.crop) if image_size else self.pixels)
        return {"image_size": image_size or math.floor(crop / self.crop), "crop": crop}


@cache
def table() -> dict[str, Named]:
    """All of them by name, of each architecture the one that timm takes where no tag is given first."""
    rows = (cells for _, cells in read_table(TABLE, Named._fields))
    return {
        name: Named(name, int(blocks), int(pixels), float(crop), repository or f"timm/{name}", licence)
        for name, blocks, pixels, crop, repository, licence in rows
    }


@cache
def _defaults() -> dict[str, Named]:
    """By architecture."""
    return {named.name.partition(".")[0]: named for named in reversed(table().values())}


def find(name: str) -> Named | None:
    """A network by its name; without a tag the one that timm takes, None if there is none of the name."""
    return table().get(name) or _defaults().get(name)


def known(name: str) -> Named:
    """The same; ValueError with the nearest names if there is none."""
    if found := find(name):
        return found
    raise ValueError(problem(name))


def nearest_that_can_be_cut(name: str) -> str | None:
    """For a network of a family that is not cut into blocks, one that is; None for any other."""
    return next((nearest for start, nearest in _UNCUT.items() if re.match(start, name)), None)


def problem(name: str) -> str:
    """Why there is no such network, with the nearest names that there are."""
    if nearest := nearest_that_can_be_cut(name):
        return (
            f"{name!r} cannot be cut into the blocks that schemes copy; of those that can, {nearest!r} is the nearest"
        )
    near = get_close_matches(name, table() if "." in name else _defaults())
    similar = f"; the nearest {'is' if len(near) == 1 else 'are'} {', '.join(near)}" if near else ""
    return f"timm has no {name!r} with weights that can be cut into blocks{similar}"


def spelt_out(config: dict[str, Any]) -> dict[str, Any]:
    """A study's config with what names of timm's networks stand for: entries under `networks`, and the key `network`.

    What is no such name, or has another form than a config's, is left as it is: the study says what it may be.
    """
    networks, sources = (config.get(key, {}) for key in ("networks", "sources"))
    if not isinstance(networks, dict) or not isinstance(sources, dict):
        return config
    advice, chosen = config.get("advice"), config.get("network")
    if isinstance(chosen, str):
        found = None if chosen in sources or chosen in networks else find(chosen)
        source = found.name if found else chosen
        sources = {source: {"network": chosen, "weights": "pretrained"}} | sources
        advice = {**(advice or {}), "sources": [source]}
    called = (source.get("network") for source in sources.values() if isinstance(source, dict))
    new = {name for name in called if isinstance(name, str) and name not in networks and find(name)}
    networks = networks | {name: {"architecture": "timm", "name": name} for name in sorted(new)}
    return {**config, "networks": networks, "sources": sources} | ({"advice": advice} if advice else {})
