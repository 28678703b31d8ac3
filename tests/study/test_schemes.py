import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.study.schemes import Scheme


@st.composite
def schemes(draw: st.DrawFn) -> Scheme:
    blocks = draw(st.integers(1, 60))
    copied = draw(st.integers(0, blocks - 1))
    return Scheme(blocks, copied, draw(st.sampled_from("TF")) if copied else None)


@given(schemes())
def test_notation_and_scheme_are_one_to_one(scheme: Scheme) -> None:
    assert Scheme.parse(str(scheme)) == scheme


@given(schemes())
def test_every_block_is_either_copied_or_random(scheme: Scheme) -> None:
    assert scheme.copied + scheme.depth == scheme.blocks
    assert scheme.frozen in (0, scheme.copied)


@given(st.text("TFR0123456789-_()", max_size=12))
def test_a_text_is_a_scheme_in_its_one_notation_or_an_error(text: str) -> None:
    try:
        scheme = Scheme.parse(text)
    except ValueError:
        return
    assert str(scheme) == text


def test_the_papers_example() -> None:
    scheme = Scheme.parse("T1-7_R8")
    assert (scheme.copied, scheme.mode, scheme.depth, scheme.frozen) == (7, "T", 1, 0)
    assert scheme.paper == "T(1-7)R(8)"


def test_freezing_freezes_the_copied_blocks() -> None:
    scheme = Scheme.parse("F1-5_R6-8")
    assert (scheme.frozen, scheme.random_part, scheme.paper) == (5, "R(6-8)", "F(1-5)R(6-8)")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("T1-7", "not a scheme"),
        ("T1-6_R8", "must follow"),
        ("T2-7_R8", "not a scheme"),
        ("T1-7_R8-6", "must follow"),
        ("T1-1_R2-8", "is written T1_R2-8"),
        ("R8", "must follow"),
        ("t1-7_r8", "not a scheme"),
    ],
)
def test_what_is_no_scheme_is_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Scheme.parse(text)


@pytest.mark.parametrize(("blocks", "copied", "mode"), [(8, 8, "T"), (8, 0, "T"), (8, 3, None), (8, -1, "F")])
def test_impossible_schemes_cannot_be_made(blocks: int, copied: int, mode: str | None) -> None:
    with pytest.raises(ValueError, match="copied"):
        Scheme(blocks, copied, mode)  # type: ignore[arg-type]
