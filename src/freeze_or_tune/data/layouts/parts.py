"""The parts that a dataset comes in: folders called train, val and test, above the class folders or in each of them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing
from freeze_or_tune.data.layouts.naming import composed
from freeze_or_tune.data.parts import PARTS
from freeze_or_tune.records.findings import Finding, Kind
from freeze_or_tune.system.errors import UserError

Folders = Mapping[str, tuple[str, ...]]
"""The folders that each image lies in, the uppermost first."""

PART = re.compile(rf"({'|'.join(PARTS)})(?:[ _-]?(?:set|data|images))?", re.IGNORECASE)


def part_of(folder: str) -> str:
    """train, val or test if a folder is called like such a part, else nothing."""
    match = PART.fullmatch(folder)
    return PARTS[match[1].lower()] if match else ""


def in_parts(archive: Archive, images: Folders) -> list[Listing] | None:
    """The images with their given parts, or None if they are given in none; UserError if parts have no classes.

    What was taken for what, and what is left out, is added to the archive's findings.
    """
    tops = {folders[0] for folders in images.values()}
    if all(map(part_of, tops)):
        return given(archive, _with_classes(archive, images, sorted(tops)))
    lower = {f"{folders[0]}/{folders[1]}" for folders in images.values() if len(folders) > 1 and part_of(folders[1])}
    if len({part_of(folder.split("/")[1]) for folder in lower}) > 1:
        if all("/".join(folders[:2]) in lower for folders in images.values()):
            return given(archive, [Listing(name, top, part_of(part)) for name, (top, part, *_) in images.items()])
        archive.findings += Finding.of(
            "read", lower, "Folders called like parts, not taken for such, for not all images of all classes lie in one"
        )
    _warn_of_parts(archive, images, tops)
    return None


def shared_depth(folders: Iterable[tuple[str, ...]]) -> int:
    """How many leading folders all share; ValueError of none."""
    known = list(folders)
    first, last = min(known), max(known)
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def _warn_of_parts(archive: Archive, images: Folders, tops: set[str]) -> None:
    """Say that folders called like parts are taken for classes; UserError if they surely are none."""
    inside = {(part_of(folders[0]), folders[1]) for folders in images.values() if len(folders) > 1}
    shared = Counter(folder for part, folder in inside if part)
    named = sorted(top for top in tops if part_of(top))
    other = min(tops.difference(named))
    if shared and max(shared.values()) > 1:
        raise UserError(
            f"{archive.path} holds {', '.join(named)}, which have the same folders in them, as parts of a dataset do, "
            f"beside {other}: move all but the parts away, or, if all are classes, give them other names"
        )
    if len(named) > 1 or shared:
        archive.findings += Finding.of("read", named, f"Folders called like parts, taken for classes as {other} is")


def _with_classes(archive: Archive, images: Folders, parts: list[str]) -> list[Listing]:
    """Images in folders of classes in `parts`; UserError if there are none."""
    twice = set(parts).difference(folders[0] for folders in images.values() if not _repeats(folders))
    inner = {name: folders[2 if folders[0] in twice else 1 :] for name, folders in images.items()}
    deep = [folders for folders in inner.values() if folders]
    # Folders that all images share, such as train/images/cat beside test/images/cat, are no classes.
    depth = shared_depth(deep) if deep else 0
    flat, listings = defaultdict[str, list[str]](list), []
    for name, folders in inner.items():
        part = images[name][0]
        if len(folders) > depth:
            listings.append(Listing(name, folders[depth], part_of(part)))
        else:
            flat[part].append(name)
    if not listings:
        raise UserError(
            f"{archive.path} holds the folders {', '.join(parts)}, which are called like parts of a dataset, without "
            "two classes in them: if they are parts, put the images of each class into a folder of its own there; if "
            "they are classes, give them other names"
        )
    full = {images[listing.image][0] for listing in listings}
    for part, names in sorted(flat.items()):
        kind: Kind = "stray" if part in full else "ignored"
        archive.findings += Finding.of(kind, names, f"Images in {part}/ without a class folder; they are not used")
        archive.told.update(names)
    return listings


def _repeats(folders: tuple[str, ...]) -> bool:
    """Whether a part lies in a folder of its name, as archives often have it: training_set/training_set/cats."""
    return len(folders) > 1 and folders[0].casefold() == folders[1].casefold()


def given(archive: Archive, listings: list[Listing], by: str = "their folders give") -> list[Listing]:
    """What the parts come to: each class has images that train, or it is left out; one part alone is none."""
    parts = {listing.subset for listing in listings}
    if len(parts) > 1 and "train" not in parts:
        raise UserError(
            f"{archive.path} holds the parts {' and '.join(sorted(parts))} with classes, but none that trains; add "
            "train/ with the same classes, or put all images of a class into one folder"
        )
    if len(parts) > 1:
        listings = _that_train(archive, listings)
    sizes = Counter(listing.subset for listing in listings)
    if len(sizes) == 1:
        (part,) = sizes
        words = f"Images of classes are in {part} alone: what trains, validates and tests is drawn from them"
        archive.findings.append(Finding(kind="read", count=len(listings), words=words))
        return [replace(listing, subset="") for listing in listings]
    counts = ", ".join(f"{part} {sizes[part]:,}" for part in ("train", "val", "test") if part in sizes)
    words = f"Images in the parts that {by} ({counts})"
    archive.findings.append(Finding(kind="read", count=len(listings), words=words))
    return listings


def _that_train(archive: Archive, listings: list[Listing]) -> list[Listing]:
    """The images of classes that have images to train on."""
    trained = {composed(listing.class_name) for listing in listings if listing.subset == "train"}
    kept = [listing for listing in listings if composed(listing.class_name) in trained]
    left_out = {listing.image for listing in listings}.difference(listing.image for listing in kept)
    archive.findings += Finding.of("ignored", left_out, "Images of classes that have none in train; they are left out")
    archive.told.update(left_out)
    return kept
