"""A table of files and labels, beside the images or among them: your own images, wherever they lie."""

import io
import posixpath
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive, ListedArchive
from freeze_or_tune.data.archives.base import is_hidden
from freeze_or_tune.data.decoding import suffixes
from freeze_or_tune.data.layouts.folders import read_folder
from freeze_or_tune.data.layouts.listing import Listing, around
from freeze_or_tune.data.layouts.parts import given, part_of
from freeze_or_tune.data.tables.columns import NoLabel
from freeze_or_tune.data.tables.names import METADATA, SUFFIXES, Said, shown
from freeze_or_tune.data.tables.table import Entry, Table, read_table
from freeze_or_tune.data.tables.text import Text
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError


def read_listed(archive: Archive, columns: Said | None = None) -> list[Listing]:
    """One image a line; UserError if none is there, or all have one label.

    Of a folder (or zip, or tar) which holds its table, the class folders count if the table names no label.
    """
    if isinstance(archive, ListedArchive):
        there = archive.names()
        listings = [_listing(name, archive.entries[name]) for name in there]
        return _some(listings, str(archive.table), archive.left_out, archive)
    try:
        return _inside(archive, columns, guess=False)
    except NoLabel as error:
        try:
            listings = read_folder(archive)
        except UserError:
            return _inside(archive, columns, guess=True)
        archive.findings.append(
            Finding(kind="read", count=len(listings), words=f"Class folders taken for the labels, for {error}; images")
        )
        return listings


def _listing(name: str, entry: Entry) -> Listing:
    return Listing(name, entry.label, entry.subset, entry.group)


def _some(listings: list[Listing], table: str, missing: tuple[str, ...], archive: Archive) -> list[Listing]:
    if not listings and not missing:
        raise UserError(f"{table} lists no file with a label")
    if not listings:
        beside = around(archive, ()) if isinstance(archive, ListedArchive) else []
        found = "".join(f"\n  {finding}" for finding in (*archive.findings, *beside))
        raise UserError(
            f"{table}: none of the {len(missing)} files that it lists is there, such as {missing[0]!r}"
            f"{'. What was found:' if found else ''}{found}"
        )
    if len({listing.class_name for listing in listings}) < 2:
        raise UserError(f"{table}: all images have the label {listings[0].class_name!r}; it takes two classes")
    return _parted(listings, archive)


def _parted(listings: list[Listing], archive: Archive) -> list[Listing]:
    """The images in their parts, if there are such: what is in none trains, or is left out if others do."""
    parts = {listing.subset for listing in listings}
    if parts == {""}:
        return listings
    if "train" not in parts:
        listings = [listing if listing.subset else replace(listing, subset="train") for listing in listings]
    apart = [listing.image for listing in listings if not listing.subset]
    archive.told.update(apart)
    archive.findings += Finding.of("ignored", apart, "Images that are in no part, where others are; they are left out")
    return given(archive, [listing for listing in listings if listing.subset], "the table gives")


def _inside(archive: Archive, columns: Said | None, *, guess: bool) -> list[Listing]:
    names = archive.names()
    found: dict[str, Listing] = {}
    missing: list[str] = []
    findings: list[Finding] = []
    without: dict[str, NoLabel] = {}
    tables = _tables(archive, names)
    for name in tables:
        folder = posixpath.dirname(name)
        text = Text(f"{name} in {archive.path}", partial(io.BytesIO, archive.read(name)))
        try:
            table = read_table(text, _Held(names, folder), columns, guess=guess)
        except NoLabel as error:
            without[name] = error
            continue
        for listing in _listings(table, folder):
            if found.setdefault(listing.image, listing).class_name != listing.class_name:
                raise UserError(f"{text.name}: {listing.image!r} has another label in another table; leave it one")
        missing += [posixpath.join(folder, cell) for cell in table.missing]
        findings += table.findings
    if len(without) == len(tables):
        raise without[tables[0]]
    unlisted = [name for name in names if name not in found and _is_seen_as_image(name)]
    archive.told.update(tables, unlisted)
    archive.findings += [
        *findings,
        *Finding.of("links", missing, "Files that a table lists and that are not there"),
        *Finding.of("ignored", without, "Tables without a label; they are ignored"),
        *Finding.of("ignored", unlisted, "Images of which no table says a label; they are ignored"),
    ]
    listings = _with_splits([found[name] for name in sorted(found)])
    return _some(listings, f"{tables[0]} in {archive.path}", tuple(missing), archive)


def _is_seen_as_image(name: str) -> bool:
    return not is_hidden(name) and PurePosixPath(name).suffix.lower() in suffixes()


def _tables(archive: Archive, names: list[str]) -> list[str]:
    """The tables of an archive: one in each folder of metadata, else the only one; UserError if there is none."""
    names = [name for name in names if not is_hidden(name)]
    metadata = {posixpath.dirname(name): name for kind in METADATA[::-1] for name in names if _called(name) == kind}
    others = [name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    tables = sorted(metadata.values()) or others
    if not tables or (len(tables) > 1 and not metadata):
        held = f"{len(tables)} tables, such as {shown(tables[:3])}" if tables else "no table"
        raise UserError(
            f"{archive.path} holds {held}; call the one of files and labels metadata.csv, or give its own path"
        )
    return tables


def _called(name: str) -> str:
    return PurePosixPath(name).name.lower()


def _listings(table: Table, folder: str) -> Iterator[Listing]:
    for path, entry in table.entries.items():
        yield _listing(posixpath.normpath(posixpath.join(folder, path)), entry)


def _with_splits(listings: list[Listing]) -> list[Listing]:
    """The subsets that folders such as train and test are, if the table says nothing of any."""
    if any(listing.subset for listing in listings):
        return listings
    subsets = [_subset(listing.image) for listing in listings]
    if len(set(subsets)) < 2:
        return listings
    return [replace(listing, subset=subset) for listing, subset in zip(listings, subsets, strict=True)]


def _subset(image: str) -> str:
    folders = PurePosixPath(image).parent.parts
    return next(filter(None, map(part_of, folders)), "")


class _Held:
    """What lies in an archive, as a table in one of its folders sees it."""

    def __init__(self, names: list[str], folder: str) -> None:
        self._names, self._folder, self._held = names, folder, frozenset(names)

    def holds(self, path: str) -> bool:
        return posixpath.normpath(posixpath.join(self._folder, path)) in self._held

    def below(self) -> list[str]:
        begun = f"{self._folder}/" if self._folder else ""
        return [name.removeprefix(begun) for name in self._names if name.startswith(begun) and not is_hidden(name)]
