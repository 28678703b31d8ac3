"""A CSV of paths and labels: your own images, wherever they lie below it."""

from freeze_or_tune.data.archives import Archive, ListedArchive
from freeze_or_tune.data.layouts.listing import Listing
from freeze_or_tune.system.errors import UserError


def read_listed(archive: Archive) -> list[Listing]:
    """One image a line; UserError if none is there, or all have one label."""
    if not isinstance(archive, ListedArchive):
        raise UserError(f"{archive.path} is not a .csv with the columns path and label")
    listings = [Listing(name, archive.labels[name]) for name in archive.names()]
    if not listings:
        example = f", such as {archive.left_out[0]!r}" if archive.left_out else ""
        raise UserError(f"{archive.table}: none of the {len(archive.labels)} files that it lists is there{example}")
    if len({listing.class_name for listing in listings}) < 2:
        raise UserError(f"{archive.table}: all images have the label {listings[0].class_name!r}; it takes two classes")
    return listings
