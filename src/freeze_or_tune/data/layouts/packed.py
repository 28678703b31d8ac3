"""Parquet files and WebDataset's tars: images and their labels in the same files."""

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.archives.packed import PackedArchive
from freeze_or_tune.data.layouts.listing import Listing
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError


def read_packed(archive: Archive) -> list[Listing]:
    """One image a row or sample; UserError if fewer than two classes have any."""
    if not isinstance(archive, PackedArchive):
        raise UserError(f"{archive.path} is neither a parquet file, nor tars as WebDataset writes them")
    images = [image for image in archive.images() if image.name is not None]
    listings = [Listing(image.name or "", image.label, image.part, image.group) for image in images if image.label]
    unlabelled = [image for image in images if not image.label]
    for part in sorted({image.part for image in unlabelled}):
        archive.findings += Finding.of(
            "ignored", (image.name or "" for image in unlabelled if image.part == part),
            f"Images{f' of the part {part}' if part else ''} without a class; they are left out",
        )  # fmt: skip
    classes = {listing.class_name for listing in listings}
    if len(classes) < 2:
        found = f"only the class {classes.pop()!r}" if classes else "no class"
        raise UserError(f"{archive.path}: its {len(images)} images have {found}; it takes two classes")
    return listings
