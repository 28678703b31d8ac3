"""Names of classes that are one, and names that only look so."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.data.layouts import Listing, one_spelling


def classes(*names: str) -> tuple[list[str], list[tuple[str, tuple[str, ...]]]]:
    """The names that become of these, and what is said."""
    listings, found = one_spelling(Listing(f"{name}/{i}.png", name, "val", "g") for i, name in enumerate(names))
    assert [one.image for one in listings] == [f"{name}/{i}.png" for i, name in enumerate(names)]
    assert {(one.subset, one.group) for one in listings} == {("val", "g")}
    return [listing.class_name for listing in listings], [(one.kind, one.examples) for one in found]


def test_accents_composed_or_not_are_one_class() -> None:
    assert classes("cafe\u0301", "caf\u00e9", "th\u00e9") == (
        ["caf\u00e9", "caf\u00e9", "th\u00e9"], [("read", ("'caf\u00e9'",))]
    )  # fmt: skip


def test_spaces_at_the_ends_are_no_part_of_a_name() -> None:
    assert classes("cat ", "cat", "\u00a0dog") == (["cat", "cat", "dog"], [("read", ("'cat'",))])


def test_case_and_leading_zeros_are_kept_apart_and_told() -> None:
    names = ["Cat", "cat", "1", "01", "bird 007", "bird 7", "100", "10", "a", "b"]
    assert classes(*names) == (names, [("alike", ("'01'", "'1'", "'Cat'"))])


@given(st.lists(st.text(min_size=1), min_size=1))
def test_any_names_become_composed_ones_of_which_none_is_empty(names: list[str]) -> None:
    found, _ = classes(*names)
    assert all(found)
    assert all(name == unicodedata.normalize("NFC", name) for name in found if name.strip())
    assert classes(*found)[0] == found
