"""Caltech-256 (Griffin, Holub, Perona 2007)."""

import re

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, images_of, some

# The file repeats the number of its class. What is not like that is left over from making the dataset: the folder
# 056.dog/greg, which is one level deeper, and the file 198.spider/RENAME2, which is none.
IMAGE = re.compile(r"(?:^|/)((\d{3})\.[^/]+)/\2_\d{4}\.jpg$")
CLUTTER = "257.clutter"


def read_caltech(archive: Archive) -> list[Listing]:
    """The 256 classes by folder (such as 001.ak47), without 257.clutter, which is no class."""
    found = ((name, IMAGE.search(name)) for name in images_of(archive))
    listings = [Listing(name, match[1]) for name, match in found if match and match[1] != CLUTTER]
    return some(listings, archive, "Caltech-256", "001.ak47/001_0001.jpg")
