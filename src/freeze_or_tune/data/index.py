"""The index of a dataset: its images and their classes, as CSV."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path

from freeze_or_tune.data.archives import Paths
from freeze_or_tune.data.downloads.hub import revision_of
from freeze_or_tune.data.fingerprint import source_of
from freeze_or_tune.data.halves import Half, in_half
from freeze_or_tune.data.layouts import OWN, READERS, Listing, around, one_spelling, read_listed
from freeze_or_tune.data.opening import open_images, resolved
from freeze_or_tune.records.findings import Finding, Findings
from freeze_or_tune.study.hub import of_folder
from freeze_or_tune.study.opening import USUAL, Opening
from freeze_or_tune.system.csv_files import read_table, write_table
from freeze_or_tune.system.errors import SpoiltFile, UserError

logger = logging.getLogger(__name__)

COLUMNS = ("image", "class", "subset", "group")


def build_index(
    reader: str,
    archive: Paths,
    destination: Path,
    smallest_class: int | None,
    half: Half | None = None,
    *,
    opening: Opening = USUAL,
    known: Mapping[str, str] | None = None,
) -> None:
    """Write the index of archives (or of one half of ImageNet's classes), sorted by image.

    Beside it, as .json, what it was read from, with digests (those of `known` by the names of files), and what the
    reader has noticed. UserError if the smallest class is not as declared.
    """
    reader = resolved(reader, archive, opening)
    if reader not in READERS:
        raise UserError(f"{reader!r} is not a reader of datasets; there are {', '.join(READERS)}")
    destination.parent.mkdir(parents=True, exist_ok=True)
    with open_images(archive, opening, destination.parent) as opened:
        listings = read_listed(opened, opening.said) if reader == "csv" else READERS[reader](opened)
        if reader in OWN:
            listings, spelt = one_spelling(listings)
            opened.findings += [*spelt, *around(opened, {listing.image for listing in listings})]
    if half is not None:
        listings = in_half(listings, half)
    name, count = min(Counter(listing.class_name for listing in listings).items(), key=lambda item: item[::-1])
    if smallest_class is not None and count != smallest_class:
        raise UserError(
            f"{opened.path}: the smallest class, {name!r}, has {count} images, but the config says "
            f"smallest_class: {smallest_class}; correct the config, or complete the images"
        )
    opened.findings += _from_the_hub(archive, len(listings))
    for finding in opened.findings:
        logger.info("%s: %s", opened.path, finding)
    files = [archive] if isinstance(archive, Path) else archive
    sources = tuple(source_of(path, known or {}, follow_links=opening.follow_links) for path in files)
    Findings(findings=tuple(opened.findings), reader=reader, files=sources).write(destination.with_suffix(".json"))
    write_table(destination, COLUMNS, sorted(astuple(listing) for listing in listings))


def _from_the_hub(archive: Paths, count: int) -> list[Finding]:
    """Which revision of a dataset of the Hub the images are of."""
    folder = archive if isinstance(archive, Path) else archive[0]
    revision = revision_of(folder)
    words = f"Images of {of_folder(folder.name).address} of the Hugging Face Hub, revision {revision}"
    return [Finding(kind="read", words=words, count=count)] if revision else []


def read_index(path: Path) -> list[Listing]:
    """Read an index; UserError names the line that is wrong."""
    listings: list[Listing] = []
    for line, cells in read_table(path, COLUMNS):
        listing = Listing(*cells)
        problem = _problem(listing, listings)
        if problem:
            raise SpoiltFile(f"{path}, line {line}: {problem}")
        listings.append(listing)
    return listings


def _problem(listing: Listing, before: list[Listing]) -> str:
    if not listing.image or not listing.class_name:
        return "the image or its class is missing"
    if listing.subset not in ("", "train", "val", "test"):
        return f"the subset is {listing.subset!r}, not train, val, test or nothing"
    if before and listing.image <= before[-1].image:
        return f"{listing.image!r} stands twice or out of order"
    return ""
