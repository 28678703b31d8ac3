import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.records.correctness import check, pack, unpack


@given(st.lists(st.booleans()))
def test_what_is_packed_is_unpacked_and_is_numpys(correct: list[bool]) -> None:
    text = pack(correct)
    assert unpack(text, len(correct)) == correct
    assert base64.b64decode(text) == np.packbits(np.array(correct, bool)).tobytes()


def test_five_thousand_images_take_less_than_a_kilobyte() -> None:
    assert len(pack([True, False] * 2500)) < 1000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("gA=", "is not base64"),
        ("ü", "is not base64"),
        ("gAA=", "it holds 2 bytes, but 3 images need 1"),
        ("", "it holds 0 bytes, but 3 images need 1"),
        ("EA==", "marks images after the last of 3"),
    ],
)
def test_a_damaged_text_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        unpack(text, 3)


@given(st.lists(st.booleans(), min_size=1))
def test_an_accuracy_must_be_that_of_the_images(correct: list[bool]) -> None:
    text, accuracy = pack(correct), float(np.mean(correct))
    check(text, len(correct), accuracy)
    with pytest.raises(ValueError, match=f"{sum(correct)} of {len(correct)} images are right"):
        check(text, len(correct), accuracy + 0.5 / len(correct))
