"""WHOI-Plankton (Orenstein et al. 2015): one zip a year, whose classes are pooled."""

import re
from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, images_of, some

YEAR = re.compile(r"(19|20)\d\d")


def read_plankton(archive: Archive) -> list[Listing]:
    """Images of all years by the name of their folder; Thumbs.db and other files are no images."""
    folders = ((name, PurePosixPath(name).parent.name) for name in images_of(archive) if name.lower().endswith(".png"))
    listings = [Listing(name, folder) for name, folder in folders if folder and not YEAR.fullmatch(folder)]
    return some(listings, archive, "WHOI-Plankton", "<year>/<class>/*.png")
