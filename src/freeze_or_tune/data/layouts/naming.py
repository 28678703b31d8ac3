"""Names of classes: which spellings are of one, wherever a folder was made. Names of images stay as they are."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from freeze_or_tune.data.layouts.listing import Listing
from freeze_or_tune.records.findings import Finding

LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def composed(name: str) -> str:
    """A class's name with accents composed (a Mac's folders have them apart) and without spaces at its ends."""
    return unicodedata.normalize("NFC", name).strip() or name


def one_spelling(listings: Iterable[Listing]) -> tuple[list[Listing], list[Finding]]:
    """The listings with their classes' names composed; what became one class by that, and what is nearly alike."""
    respelt, spellings = [], defaultdict[str, set[str]](set)
    for listing in listings:
        name = composed(listing.class_name)
        spellings[name].add(listing.class_name)
        respelt.append(replace(listing, class_name=name) if name != listing.class_name else listing)
    similar = defaultdict[str, list[str]](list)
    for name in spellings:
        similar[LEADING_ZEROS.sub("", name.casefold())].append(name)
    return respelt, [
        *Finding.of(
            "read", (name for name, found in spellings.items() if len(found) > 1),
            "Classes spelt in several ways that look alike (accents composed or not, spaces at the ends); each is one",
        ),
        *Finding.of(
            "alike", (name for names in similar.values() if len(names) > 1 for name in names),
            "Classes whose names differ only in case or in leading zeros; they are kept apart",
        ),
    ]  # fmt: skip
