"""ImageNet's classes in two random halves, 500A and 500B (Yosinski et al. 2014)."""

import hashlib
import logging
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.system.errors import UserError

logger = logging.getLogger(__name__)

CLASSES = 1000
VALIDATION = 50_000
"""Images of ILSVRC2012's validation set, which `Listing.subset` calls test."""

Half = Literal["A", "B"]

VALID_LISTS = {"A": "2f10009e20d77eb7007cf70674958b94", "B": "cce39b383d681345c873faf2c0c28d33"}
"""md5 of half0A_valid/files.txt and half0B_valid/files.txt (yosinski/convnet_transfer, make_reduced_datasets.sh)."""


def half_classes(half: Half) -> list[int]:
    """The 500 class indices (lines of synsets.txt, from 0) of a half, sorted: a class's place is its new label.

    Source: yosinski/convnet_transfer, half0, whose seed is the list [0].
    """
    random = np.random.RandomState([0])
    chosen = {int(index) for index in random.choice(CLASSES, CLASSES // 2, replace=False)}
    return sorted(chosen if half == "A" else set(range(CLASSES)) - chosen)


def in_half(listings: Iterable[Listing], half: Half) -> list[Listing]:
    """The images whose classes (sorted by WordNet id) are in a half.

    UserError unless there are 1,000 classes; and, if all validation images are there, unless their list is Yosinski's.
    """
    everything = list(listings)
    names = sorted({listing.class_name for listing in everything})
    if len(names) != CLASSES:
        raise UserError(f"halves are of ImageNet's {CLASSES} classes, but there are {len(names)}")
    kept = {names[index] for index in half_classes(half)}
    listings = [listing for listing in everything if listing.class_name in kept]
    if sum(listing.subset == "test" for listing in everything) == VALIDATION:
        _check_valid_list(listings, half)
    return listings


def valid_list(listings: Iterable[Listing]) -> str:
    """The validation images of a half as convnet_transfer lists them: lines of `<file name> <label>`, by name."""
    everything = list(listings)
    labels = {name: label for label, name in enumerate(sorted({listing.class_name for listing in everything}))}
    tests = [(PurePosixPath(each.image).name, labels[each.class_name]) for each in everything if each.subset == "test"]
    return "".join(f"{name} {label}\n" for name, label in sorted(tests))


def _check_valid_list(listings: list[Listing], half: Half) -> None:
    found = hashlib.md5(valid_list(listings).encode()).hexdigest()
    if found != VALID_LISTS[half]:
        raise UserError(
            f"the validation images of 500{half} are not those of Yosinski et al. (their list has md5 {found}, not "
            f"{VALID_LISTS[half]}): the files are not ILSVRC2012's as published; get validation images and devkit again"
        )
    logger.info("500%s: its validation images are those of Yosinski et al. (md5 %s)", half, found)
