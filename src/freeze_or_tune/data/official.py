"""The parts that a dataset comes with: its own training, validation and test images."""

from collections.abc import Iterable, Sequence

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.system.errors import UserError

Chosen = dict[str, dict[str, str]]
"""By class the subset of each image that is drawn."""


class Official:
    """A dataset's own parts; a group that stands in several of them is used in the last, which is held out."""

    def __init__(self, listings: Sequence[Listing], dataset: str) -> None:
        """Take the parts apart; UserError unless there are training and test images."""
        self._dataset = dataset
        if not {listing.subset for listing in listings} >= {"train", "test"}:
            raise UserError(f"dataset {dataset!r} has no official training and test images; say how many to test on")
        self._test = [listing for listing in listings if listing.subset == "test"]
        self.val = _without(self._test, (listing for listing in listings if listing.subset == "val"))
        held_out = [listing for listing in listings if listing.subset in ("val", "test")]
        self.train = _without(held_out, (listing for listing in listings if listing.subset == "train"))

    def add_val(self, chosen: Chosen, ordered: Iterable[Listing], val: int) -> None:
        """Add the first `val` validation images of each class in this order; UserError if a class has too few."""
        classes: dict[str, list[str]] = {name: [] for name in chosen}
        for listing in ordered:
            if listing.class_name in classes:
                classes[listing.class_name].append(listing.image)
        for name, images in classes.items():
            if len(images) < val:
                raise UserError(
                    f"dataset {self._dataset!r}: class {name!r} has {len(images)} official validation images, but "
                    f"{val} are wanted; ask for fewer"
                )
            chosen[name] |= dict.fromkeys(images[:val], "val")

    def add_test(self, chosen: Chosen) -> None:
        """Add all test images of the chosen classes; UserError if a class has none."""
        tests = [listing for listing in self._test if listing.class_name in chosen]
        untested = chosen.keys() - {listing.class_name for listing in tests}
        if untested:
            raise UserError(
                f"dataset {self._dataset!r}: class {min(untested)!r} has no official test images; say how many to test "
                "on"
            )
        for listing in tests:
            chosen[listing.class_name][listing.image] = "test"


def _without(held_out: Iterable[Listing], listings: Iterable[Listing]) -> list[Listing]:
    """Those that share no group with images held out."""
    groups = {listing.group for listing in held_out if listing.group}
    return [listing for listing in listings if listing.group not in groups]
