"""Parquet files and WebDataset's tars: images and their labels in the same files."""

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.archives.packed import Packed, PackedArchive
from freeze_or_tune.data.layouts.listing import Listing, refusal
from freeze_or_tune.data.layouts.parts import given
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError


def read_packed(archive: Archive) -> list[Listing]:
    """One image a row or sample, in the given parts if there are such; UserError if there are not two classes."""
    if not isinstance(archive, PackedArchive):
        raise UserError(f"{archive.path} is neither a parquet file, nor tars as WebDataset writes them")
    images = list(archive.images())
    archive.findings += archive.read_as(len(images))
    parted = any(image.part for image in images)
    listings = []
    unlabelled, apart = list[Packed](), list[str]()
    for image in images:
        if not image.label:
            unlabelled.append(image)
        elif parted and not image.part:
            apart.append(image.name)
        else:
            listings.append(Listing(image.name, image.label, image.part, image.group))
    for part in sorted({image.part for image in unlabelled}):
        archive.findings += Finding.of(
            "ignored", (image.name for image in unlabelled if image.part == part),
            f"Images{f' of the part {part}' if part else ''} without a class; they are left out",
        )  # fmt: skip
    archive.findings += Finding.of("ignored", apart, "Images that are in no part, where others are; they are left out")
    archive.told.update(apart, (image.name for image in unlabelled))
    if len({listing.class_name for listing in listings}) < 2:
        raise refusal(archive, f"has {len(images)} images, but not of two classes")
    return given(archive, listings, "their files or a column give") if parted else listings
