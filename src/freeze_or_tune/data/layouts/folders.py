"""A plain folder of class folders: letters, digits, and your own images."""

from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, images_of
from freeze_or_tune.system.errors import UserError

SUBSETS = {"test", "train", "training", "val", "valid", "validation"}


def read_folder(archive: Archive) -> list[Listing]:
    """One folder of images a class, perhaps inside another folder; UserError if there are not two classes."""
    images = images_of(archive)
    if not images:
        links = f" ({len(archive.left_out)} links out of it are not followed)" if archive.left_out else ""
        raise UserError(f"{archive.path} holds no images{links}; it needs one folder of images a class")
    # A zip is often made of the folder itself, so the classes may lie deeper than the top.
    depth = _shared_depth([PurePosixPath(name).parent.parts for name in images])
    listings = [Listing(name, _class_of(name, depth)) for name in images]
    classes = sorted({listing.class_name for listing in listings})
    if len(classes) < 2:
        raise UserError(f"{archive.path} holds only one folder of images; it needs one a class, and two classes")
    stray = [listing.image for listing in listings if not listing.class_name]
    if stray:
        raise UserError(
            f"{archive.path}: {len(stray)} of {len(images)} images are in no folder of a class, such as {stray[0]!r}; "
            "move them to one, or away"
        )
    if SUBSETS.issuperset(name.lower() for name in classes):
        raise UserError(
            f"{archive.path} holds the folders {', '.join(classes)}, which are subsets and not classes; "
            "put all images of a class into one folder, the splits are drawn from there"
        )
    return listings


def _shared_depth(parents: list[tuple[str, ...]]) -> int:
    """How many leading folders all images share."""
    first, last = min(parents), max(parents)
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def _class_of(name: str, depth: int) -> str:
    """The folder below the shared ones, or nothing if the image is not in one."""
    folders = PurePosixPath(name).parent.parts[depth:]
    return folders[0] if folders else ""
