"""Moorea Labeled Corals (Beijbom et al. 2012): points in photos of quadrats that are visited each year."""

import logging
import re
from collections import Counter
from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, images_of, lines, some
from freeze_or_tune.data.patches import point_name

logger = logging.getLogger(__name__)

LABELS = ("CCA", "Turf", "Macro", "Sand", "Acrop", "Pavon", "Monti", "Pocill", "Porit")
"""The nine labels of the dataset's authors; their case differs between years, and `Off` is beside the quadrat."""

CANONICAL = {label.casefold(): label for label in LABELS}
POINT = re.compile(r"\s*(\d+)\s*;\s*(\d+)\s*;\s*(\S.*?)\s*")
DATED = re.compile(r"(.+?)_\d{8}(?!\d)")


def read_corals(archive: Archive) -> list[Listing]:
    """Points as `<photo>@<row>,<column>`, grouped by quadrat over all years; warns about what cannot be used."""
    photos = set(images_of(archive))
    listings: list[Listing] = []
    without_photo: list[str] = []
    unread: list[str] = []
    others: Counter[str] = Counter()
    for name in archive.names():
        if not _is_annotation(archive, name):
            continue
        photo = _photo_of(name, photos)
        if photo is None:
            without_photo.append(name)
            continue
        for (row, column), label in _points(archive, name, unread).items():
            if label.casefold() in CANONICAL:
                group = quadrat(photo)
                listings.append(Listing(point_name(photo, row, column), CANONICAL[label.casefold()], group=group))
            else:
                others[label] += 1
    for names, what in ((without_photo, "annotations without a photo"), (unread, "lines that name no point")):
        if names:
            logger.warning("%s: left out %d %s, such as %s", archive.path, len(names), what, names[0])
    logger.info("%s: left out points of other labels: %s", archive.path, dict(others))
    return some(sorted(listings, key=lambda listing: listing.image), archive, "Moorea Labeled Corals", "<photo>.txt")


def quadrat(photo: str) -> str:
    """What stands before the date in a photo's name: the same patch of reef returns every year."""
    stem = PurePosixPath(photo).stem
    match = DATED.match(stem)
    return (match[1] if match else stem).casefold()


def _is_annotation(archive: Archive, name: str) -> bool:
    """Whether it is a list that begins as annotations do; there are texts of other kinds."""
    if not name.lower().endswith(".txt"):
        return False
    first = next(lines(archive, name), (0, ""))[1]
    return re.fullmatch(r"#\s*row\s*;\s*col\w*\s*;\s*label\s*", first, re.IGNORECASE) is not None


def _photo_of(name: str, photos: set[str]) -> str | None:
    """The photo of `<photo>.jpg.txt` (2010: `.png.txt`), or of `<photo>.txt`."""
    bare = name[: -len(".txt")]
    return next((photo for photo in (bare, f"{bare}.jpg", f"{bare}.JPG") if photo in photos), None)


def _points(archive: Archive, name: str, unread: list[str]) -> dict[tuple[int, int], str]:
    """The label of each point, without those that are labelled in two ways; lines that are none are added to `unread`.

    They are no reason to stop: the archive's digest says that its authors made them so.
    """
    points: dict[tuple[int, int], str] = {}
    doubtful: set[tuple[int, int]] = set()
    for number, line in lines(archive, name):
        match = POINT.fullmatch(line)
        if match is None:
            unread += [] if line.lstrip().startswith("#") else [f"{name}, line {number}: {line!r}"]
            continue
        place, label = (int(match[1]), int(match[2])), match[3]
        if points.setdefault(place, label).casefold() != label.casefold():
            doubtful.add(place)
    return {place: label for place, label in points.items() if place not in doubtful}
