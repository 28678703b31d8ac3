"""SUN397 (Xiao et al. 2010)."""

import dataclasses
import re

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, images_of, lines, locate, some
from freeze_or_tune.data.layouts.packed import read_packed
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError

# A class lies in a folder of its first letter, and may have a part of its own: c/church/outdoor.
IMAGE = re.compile(r"(?:^|/)(([a-z])/(\2[^/]*(?:/[^/]+)?)/sun_[^/]+\.jpg)$")
CLASS = re.compile(r"/?([a-z])/(\1[^/]*(?:/[^/]+)?)")
"""A class in the official list: /c/church/outdoor."""
CORRUPT = {"c/church/outdoor/sun_bhenjvsvrtumjuri.jpg", "t/track/outdoor/sun_aophkoiosslinihb.jpg"}
"""Known to be damaged; left out by name, because decoders differ in what they make of them."""
ROOTS = {"SUN397/", "SUN397/SUN397/"}
"""Before the names of images in the original, alone or beside its partitions: splits are drawn by whole names."""

MOVED = (
    "Images that lie in no folder SUN397 right above their letters, as in the original archive; splits are drawn by "
    "their names, and are not those of the original"
)

LISTS = {"train": "Training_01.txt", "test": "Testing_01.txt"}
"""The first of the ten official partitions, whose lines are /a/abbey/sun_*.jpg."""


def read_sun(archive: Archive) -> list[Listing]:
    """The 397 classes (abbey, church/outdoor), without the two corrupt files; names do not tell a file's format.

    With Partitions.zip beside the images, those of the first official partition have their subset.
    """
    subsets: dict[str, str] = {}
    for subset, file in LISTS.items() if any(name.endswith(LISTS["train"]) for name in archive.names()) else ():
        listed = lines(archive, locate(archive, file, "SUN397 with partitions"))
        subsets |= {line.strip().lstrip("/"): subset for _, line in listed}
    found = [(name, IMAGE.search(name)) for name in images_of(archive)]
    listings = [
        Listing(name, match[3], subsets.get(match[1], "")) for name, match in found if match and match[1] not in CORRUPT
    ]
    moved = [name for name, match in found if match and name.removesuffix(match[1]) not in ROOTS]
    archive.findings += Finding.of("read", moved, MOVED)
    return some(listings, archive, "SUN397", "a/abbey/sun_*.jpg")


def read_sun_parquet(archive: Archive) -> list[Listing]:
    """The same of parquet files, whose classes are those of the official list; UserError if one is not like that."""
    listings = read_packed(archive)
    found = {name: CLASS.fullmatch(name) for name in {listing.class_name for listing in listings}}
    strange = sorted(name for name, match in found.items() if match is None)
    if strange:
        raise UserError(
            f"{archive.path}: the class {strange[0]!r} is not called as in SUN397's list, such as /c/church/outdoor; "
            "read it with the reader parquet, as a dataset of another name"
        )
    classes = {name: match[2] for name, match in found.items() if match}
    return [dataclasses.replace(listing, class_name=classes[listing.class_name]) for listing in listings]
