import random

from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.own.joining import joined


def listings(*groups: str) -> list[Listing]:
    return [Listing(f"{place}.png", "a", "", group) for place, group in enumerate(groups)]


def named(found: list[Listing]) -> list[str]:
    return [listing.group for listing in found]


def test_what_is_alike_joins_given_groups() -> None:
    found = joined(listings("p", "q", "q", "", "", "r"), [["0.png", "1.png"], ["3.png", "4.png"]])
    assert named(found) == ["p", "p", "p", "3.png", "3.png", "r"]
    assert [listing.image for listing in found] == [f"{place}.png" for place in range(6)]


def test_whoever_is_alone_belongs_to_no_group() -> None:
    assert named(joined(listings("", "", ""), [["0.png", "2.png"]])) == ["0.png", "", "0.png"]
    assert joined([], []) == []


@given(
    st.lists(st.sampled_from(["", *"abcd"]), max_size=12).map(lambda groups: listings(*groups)),
    st.lists(st.lists(st.integers(0, 11), min_size=2, max_size=4), max_size=6),
    st.integers(0, 99),
)
def test_two_images_are_together_if_and_only_if_a_chain_joins_them(
    images: list[Listing], ties: list[list[int]], order: int
) -> None:
    alike = [[f"{place}.png" for place in tie] for tie in ties if max(tie) < len(images)]
    found = {listing.image: listing.group or listing.image for listing in joined(images, alike)}
    together = {listing.image: {listing.image} for listing in images}
    given_groups = [[one.image for one in images if one.group == group] for group in "abcd"]
    for _ in images:
        for tie in [*alike, *filter(None, given_groups)]:
            whole = set().union(*(together[image] for image in tie))
            together |= dict.fromkeys(tie, whole)
        together = {image: set().union(*(together[other] for other in whole)) for image, whole in together.items()}
    for image, whole in together.items():
        assert {other for other, group in found.items() if group == found[image]} == whole
    mixed = joined(random.Random(order).sample(images, len(images)), alike)
    assert {listing.image: listing.group or listing.image for listing in mixed} == found
