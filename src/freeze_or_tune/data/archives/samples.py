"""Samples of a WebDataset: files of a tar that belong together by their names."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from freeze_or_tune.data.archives.packed import LABELS
from freeze_or_tune.data.decoding import HEIC, suffixes

_NAME = re.compile(r"((?:.*/|)[^.]+)[.]([^/]*)", re.DOTALL)
_META = re.compile(r"__[^/]*__($|/)")


def sample_of(name: str) -> tuple[str, str]:
    """The key and the ending of a file as the library `webdataset` parts them; nothing if it belongs to no sample."""
    match = _NAME.fullmatch(name)
    return (match[1], match[2].lower()) if match and not _META.match(name) else ("", "")


def image_among(endings: Sequence[str]) -> str | None:
    """The ending of a sample's image: the only one, or the only one without a second word (`jpg`, not `mask.png`)."""
    images = [ending for ending in endings if PurePosixPath(f"x.{ending}").suffix in suffixes() | HEIC]
    plain = [ending for ending in images if "." not in ending]
    for candidates in (images, plain):
        if len(candidates) == 1:
            return candidates[0]
    return None


def label_keys(data: bytes) -> tuple[list[str], Mapping[str, object]]:
    """The keys that may hold the class, and all of a .json; ValueError if it is none or no mapping."""
    told = json.loads(data)
    if not isinstance(told, dict):
        raise ValueError("it is no mapping")
    return [key for key in told if key.lower() in LABELS], told


def is_labelled(data: bytes) -> bool:
    """Whether a .json names a class."""
    try:
        return bool(label_keys(data)[0])
    except (ValueError, RecursionError):
        return False
