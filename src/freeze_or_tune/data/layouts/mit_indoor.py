"""MIT Indoor 67 (Quattoni, Torralba 2009): a tar of images, and two lists that are downloads of their own."""

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, check_listed, images_of, lines, locate, some

LISTS = {"train": "TrainImages.txt", "test": "TestImages.txt"}


def read_mit_indoor(archive: Archive) -> list[Listing]:
    """The 67 classes; images on no official list have no subset; UserError if a listed image is missing."""
    images = {"/".join(name.split("/")[-2:]): name for name in images_of(archive) if "/" in name}
    subsets: dict[str, str] = {}
    for subset, file in LISTS.items():
        # Lines are <class>/<file>; both have names with spaces, which may also stand at an end.
        listed = [line for _, line in lines(archive, locate(archive, file, "MIT Indoor 67"))]
        check_listed(listed, images, archive, file)
        subsets |= dict.fromkeys(listed, subset)
    listings = [Listing(name, short.split("/")[0], subsets.get(short, "")) for short, name in images.items()]
    return some(listings, archive, "MIT Indoor 67", "Images/<class>/<name>.jpg")
