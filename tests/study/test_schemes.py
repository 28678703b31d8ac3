import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.study.schemes import VARIANTS, Scheme, all_but_last


@st.composite
def schemes(draw: st.DrawFn) -> Scheme:
    blocks = draw(st.integers(1, 60))
    copied = draw(st.integers(0, blocks - 1))
    frozen = draw(st.integers(0, copied))
    letters = [letter for letter in VARIANTS if letter != "p" or blocks - copied == 1] if frozen < copied else []
    chosen = draw(st.sets(st.sampled_from(letters))) if letters else set[str]()
    return Scheme(blocks, copied, frozen, "".join(sorted(chosen)))


@given(schemes())
def test_notation_and_scheme_are_one_to_one(scheme: Scheme) -> None:
    assert Scheme.parse(str(scheme)) == scheme


@given(schemes())
def test_every_block_is_exactly_one_of_frozen_tuned_and_random(scheme: Scheme) -> None:
    assert scheme.frozen + scheme.tuned + scheme.depth == scheme.blocks
    assert scheme.copied == scheme.frozen + scheme.tuned
    spelt = "".join(
        letter * (int(last or first) - int(first) + 1)
        for letter, first, last in (
            (part[0], *part.strip("FTRbnp").partition("-")[::2]) for part in str(scheme).split("_")
        )
    )
    assert spelt == "F" * scheme.frozen + "T" * scheme.tuned + "R" * scheme.depth


@given(schemes())
def test_the_mode_says_what_becomes_of_copied_blocks(scheme: Scheme) -> None:
    letters = ("F" if scheme.frozen else "") + ("T" if scheme.tuned else "")
    assert (scheme.mode or "") == letters
    assert scheme.plain == (letters != "FT" and not scheme.variant)
    assert scheme.paper.replace("(", "").replace(")", "_").removesuffix("_") == str(scheme) or scheme.variant
    assert scheme.settled == (scheme.copied if "n" in scheme.variant else scheme.frozen)


@given(st.text("TFR0123456789-_()bnp", max_size=14))
def test_a_text_is_a_scheme_in_its_one_notation_or_an_error(text: str) -> None:
    try:
        scheme, near = Scheme.parse(text), text
    except ValueError as problem:
        _, named, near = str(problem).partition("near to it is ")
        scheme = Scheme.parse(near if named else "R1")
    assert str(scheme) == near or scheme.blocks == 1


def test_the_papers_example() -> None:
    scheme = Scheme.parse("T1-7_R8")
    assert (scheme.copied, scheme.mode, scheme.depth, scheme.frozen) == (7, "T", 1, 0)
    assert scheme.paper == "T(1-7)R(8)"
    assert all_but_last(8) == (scheme, Scheme.parse("F1-7_R8"))


def test_freezing_freezes_the_copied_blocks() -> None:
    scheme = Scheme.parse("F1-5_R6-8")
    assert (scheme.frozen, scheme.random_part, scheme.paper) == (5, "R(6-8)", "F(1-5)R(6-8)")


def test_what_lies_between() -> None:
    scheme = Scheme.parse("F1-4_T5-7_R8")
    assert (scheme.frozen, scheme.tuned, scheme.mode, scheme.paper) == (4, 3, "FT", "F(1-4)T(5-7)R(8)")
    assert scheme.between
    others = ("T1-7_R8", "F1-7_R8", "F1-4_T5_R6-8", "F1-4_T5-7_R8n", "R1-8")
    assert not any(Scheme.parse(other).between for other in others)
    assert Scheme.parse("F1_T2-7_R8np").paper == "F(1)T(2-7)R(8)np"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("T1-7", "not a scheme"),
        ("T1-6_R8", "must follow each other; near to it is T1-6_R7-8"),
        ("T2-7_R8", "must follow"),
        ("T1-7_R8-6", "must follow"),
        ("T1-1_R2-8", "is written T1_R2-8"),
        ("R8", "must follow each other; near to it is R1-8"),
        ("t1-7_r8", "not a scheme; schemes look like T1-7_R8, F1-4_T5-7_R8"),
        ("F5-7_T1-4_R8", "not a scheme; near to it is F1-3_T4-7_R8"),
        ("T1-4_F5-7_R8", "not a scheme; near to it is F1-3_T4-7_R8"),
        ("F1-4_T6-7_R8", "must follow each other; near to it is F1-4_T5-6_R7-8"),
        ("F1-4_T4-7_R8", "must follow each other; near to it is F1-4_T5-7_R8"),
        ("F1-7_R8b", "says how blocks are tuned, but none is; near to it is F1-7_R8"),
        ("R1-8p", "says how blocks are tuned, but none is; near to it is R1-8"),
        ("T1-5_R6-8p", "the last block alone must be random; near to it is T1-5_R6-8"),
        ("T1-7_R8pb", "in the order bnp, each once"),
        ("T1-7_R8nn", "in the order bnp, each once"),
        ("T1-7_R8z", "there is no variant 'z'; there are b, n, p"),
        ("R1-1001", "must follow"),
    ],
)
def test_what_is_no_scheme_is_refused_with_the_reason_and_a_neighbour(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Scheme.parse(text)


@pytest.mark.parametrize(
    ("blocks", "copied", "frozen", "complaint"), [(8, 8, 0, "copied"), (8, -1, 0, "copied"), (8, 3, 4, "frozen")]
)
def test_impossible_schemes_cannot_be_made(blocks: int, copied: int, frozen: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"blocks cannot be {complaint}"):
        Scheme(blocks, copied, frozen)
