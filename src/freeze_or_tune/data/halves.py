"""ImageNet's classes in two random halves, 500A and 500B (Yosinski et al. 2014)."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.errors import UserError

CLASSES = 1000

Half = Literal["A", "B"]


def half_classes(half: Half) -> list[int]:
    """The 500 class indices (lines of synsets.txt, from 0) of a half, sorted: a class's place is its new label.

    Source: yosinski/convnet_transfer, half0, whose seed is the list [0].
    """
    random = np.random.RandomState([0])
    chosen = {int(index) for index in random.choice(CLASSES, CLASSES // 2, replace=False)}
    return sorted(chosen if half == "A" else set(range(CLASSES)) - chosen)


def in_half(listings: Iterable[Listing], half: Half) -> list[Listing]:
    """The images whose classes (sorted by WordNet id) are in a half; UserError unless there are 1,000 classes."""
    everything = list(listings)
    names = sorted({listing.class_name for listing in everything})
    if len(names) != CLASSES:
        raise UserError(f"halves are of ImageNet's {CLASSES} classes, but there are {len(names)}")
    kept = {names[index] for index in half_classes(half)}
    return [listing for listing in everything if listing.class_name in kept]
