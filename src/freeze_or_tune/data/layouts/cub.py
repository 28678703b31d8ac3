"""CUB-200-2011 (Wah et al. 2011)."""

from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, check_listed, images_of, locate, numbered
from freeze_or_tune.system.errors import UserError

SUBSETS = {"1": "train", "0": "test"}


def read_cub(archive: Archive) -> list[Listing]:
    """The 200 classes with their official split; UserError if the dataset's tables do not fit each other."""
    folder = PurePosixPath(locate(archive, "train_test_split.txt", "CUB-200-2011")).parent
    images, labels, split, classes = (
        numbered(archive, locate(archive, str(folder / f"{table}.txt"), "CUB-200-2011"))
        for table in ("images", "image_class_labels", "train_test_split", "classes")
    )
    if not (images.keys() == labels.keys() == split.keys() and set(labels.values()) <= classes.keys()):
        raise UserError(f"{archive.path}: the tables of CUB-200-2011 do not name the same images; fetch it again")
    unknown = set(split.values()) - set(SUBSETS)
    if unknown:
        raise UserError(f"{archive.path}: train_test_split.txt holds {min(unknown)!r}, not 0 or 1; fetch it again")
    listings = [
        Listing(str(folder / "images" / image), classes[labels[key]], SUBSETS[split[key]])
        for key, image in images.items()
    ]
    check_listed((listing.image for listing in listings), images_of(archive), archive, "images.txt")
    return listings
