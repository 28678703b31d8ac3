import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.splits import Draw, draw
from freeze_or_tune.data.tallies import tally
from freeze_or_tune.records.tallies import Tally
from freeze_or_tune.system.errors import UserError

from .drawn import sizes, subset


def owls(val: int = 4) -> list[Listing]:
    """Three classes in three official parts."""
    return [
        Listing(f"{part}/{name}{i}", name, part)
        for part, size in (("train", 12), ("val", val), ("test", 5))
        for name in "abc"
        for i in range(size)
    ]


@given(st.integers(1, 12), st.integers(0, 500), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_official_validation_images_validate_and_all_training_images_can_train(n: int, seed: int, order: int) -> None:
    what = Draw(seed=seed, n=n, val=3, test=0, pool="official")
    rows = draw(owls(), dataset="owls", **what._asdict())
    assert sizes(rows) == {"train": {n}, "val": {3}, "test": {5}}
    assert all(row.image.startswith(f"{row.subset}/") for row in rows)
    assert draw(random.Random(order).sample(owls(), 63), dataset="owls", **what._asdict()) == rows
    all_of_them = draw(owls(), dataset="owls", **what._replace(n=12)._asdict())
    assert subset(rows, "val") == subset(all_of_them, "val")
    assert tally(owls(), rows, what).val == Tally(asked=3, available=4, fewest=3, most=3, images=9)


def test_too_few_official_validation_images_are_an_error() -> None:
    what = {"dataset": "owls", "seed": 0, "n": 2, "test": 0, "pool": "official"}
    with pytest.raises(UserError, match="class 'a' has 4 official validation images, but 5 are wanted; ask for fewer"):
        draw(owls(), val=5, **what)
    some = [one for one in owls() if one.class_name != "b" or one.subset != "val"]
    with pytest.raises(UserError, match="class 'b' has 0 official validation images"):
        draw(some, val=1, **what)


def test_of_classes_with_enough_images_validation_images_are_counted_where_they_are() -> None:
    """Twelve images train, which is enough for ten; those that validate are not among them."""
    rows = draw(owls(), dataset="owls", seed=0, n=10, val=3, test=0, pool="official", enough=13)
    assert sizes(rows) == {"train": {10}, "val": {3}, "test": {5}}


def test_a_group_of_official_parts_is_used_in_the_last_of_them_only() -> None:
    listings = [replace(one, group=f"g{one.image[-1]}" if one.subset != "test" else "g0") for one in owls()]
    rows = draw(listings, dataset="owls", seed=0, n=20, val=3, test=0, pool="official", up_to=True)
    held = {one.image: one.group for one in listings}
    used = {part: {held[image] for image in subset(rows, part)} for part in ("train", "val", "test")}
    assert used["test"] == {"g0"}
    assert used["val"] == {"g1", "g2", "g3"}
    assert used["train"] == {f"g{i}" for i in range(4, 10)}
