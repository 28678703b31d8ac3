"""A plain folder of class folders: letters, digits, and your own images, perhaps in parts."""

from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, pictures_of, refusal
from freeze_or_tune.data.layouts.naming import composed
from freeze_or_tune.data.layouts.parts import Folders, in_parts, shared_depth
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError


def read_folder(archive: Archive) -> list[Listing]:
    """One folder of images a class, perhaps inside another folder; UserError if there are not two classes.

    Folders called train, val and test above the classes, or in each of them, give the images' parts.
    """
    images = pictures_of(archive)
    if not images:
        raise refusal(archive, "holds no images; it needs one folder of images a class")
    placed, stray = _in_classes({name: PurePosixPath(name).parent.parts for name in images})
    if not placed:
        raise refusal(archive, "holds only one folder of images; it needs one a class, and two classes")
    if len(stray) > len(placed):
        raise UserError(
            f"{archive.path}: {len(stray)} of {len(images)} images are in no folder of a class, such as {stray[0]!r}; "
            "move them to one, or away"
        )
    archive.findings += Finding.of("stray", stray, "Images beside the folders of classes; they are left out")
    archive.told.update(stray)
    listings = in_parts(archive, placed)
    if listings is None:
        listings = [Listing(name, folders[0]) for name, folders in placed.items()]
    if len({composed(listing.class_name) for listing in listings}) < 2:
        raise refusal(archive, f"holds images of {listings[0].class_name!r} alone; it needs two classes")
    return listings


def _in_classes(images: Folders) -> tuple[Folders, list[str]]:
    """The images with their folders from those of classes on, none if there are no two; and images beside such.

    A zip is often made of the folder itself, so the classes may lie deeper than the top.
    """
    stray: list[str] = []
    while images:
        depth = shared_depth(images.values())
        below = {name: folders[depth:] for name, folders in images.items() if len(folders) > depth}
        stray += sorted(images.keys() - below.keys())
        if len({folders[0] for folders in below.values()}) > 1:
            return below, stray
        images = {name: images[name] for name in below}
    return {}, stray
