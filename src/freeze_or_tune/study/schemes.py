"""Transfer schemes: which blocks are copied, and which of those are frozen or tuned (section 3 of the paper).

`T1-7_R8` is the paper's T(1-7)R(8): blocks 1-7 are copied and fine-tuned, block 8 starts from random values.
`F1-5_R6-8` copies and freezes blocks 1-5. `R1-8` copies nothing (pretraining, or training from scratch).
Between them, which the paper did not try: `F1-4_T5-7_R8` freezes blocks 1-4 and tunes 5-7. Letters at the end are
variants of how copied blocks are tuned: VARIANTS.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal, Self

Mode = Literal["T", "F", "FT"]

VARIANTS = {
    "b": "only biases and norms of tuned blocks learn (BitFit, Ben Zaken et al. 2022)",
    "n": "batch norms of tuned blocks keep the source's statistics",
    "p": "the classifier is solved for first, then all are tuned (LP-FT, Kumar et al. 2022)",
}
"""What each letter means, in the order in which letters are written."""

_PATTERN = re.compile(
    r"(?:F1(?:-(?P<frozen>\d+))?_)?(?:T(?P<tuned>\d+)(?:-(?P<copied>\d+))?_)?R(?P<first>\d+)(?:-(?P<last>\d+))?"
    r"(?P<variant>[a-z]*)"
)
_SPANS = re.compile(r"(?P<mode>[FTR])(?P<first>\d+)(?:-(?P<last>\d+))?")
_MOST = 1000
"""Blocks: more are a slip of the keyboard."""


def span(first: int, last: int) -> str:
    """Some blocks, e.g. `1-7` or `8`."""
    return str(first) if first == last else f"{first}-{last}"


@dataclass(frozen=True, order=True)
class Scheme:
    """Blocks 1..`frozen` are copied and frozen, those to `copied` copied and tuned, those to `blocks` random."""

    blocks: int
    copied: int
    frozen: int = 0
    variant: str = ""
    """Letters of VARIANTS, in their order."""

    def __post_init__(self) -> None:
        """Raise ValueError unless 0 <= frozen <= copied < blocks and the variant can be."""
        if not 0 <= self.copied < self.blocks:
            raise ValueError(f"{self.copied} of {self.blocks} blocks cannot be copied: the last is always random")
        if not 0 <= self.frozen <= self.copied:
            raise ValueError(f"{self.frozen} of {self.copied} copied blocks cannot be frozen")
        if unknown := set(self.variant) - set(VARIANTS):
            raise ValueError(f"there is no variant {min(unknown)!r}; there are {', '.join(VARIANTS)}")
        if self.variant != "".join(letter for letter in VARIANTS if letter in self.variant):
            raise ValueError(f"variants are written in the order {''.join(VARIANTS)}, each once")
        if self.variant and not self.tuned:
            raise ValueError(f"variant {self.variant} says how blocks are tuned, but none is")
        if "p" in self.variant and self.depth > 1:
            raise ValueError("variant p solves for the classifier, so the last block alone must be random")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the notation; ValueError says what is wrong with `text`, and what might have been meant."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a scheme; {cls._near(text)}")
        first, tuned = int(match["first"]), int(match["tuned"] or 0)
        last = int(match["last"] or first)
        frozen = int(match["frozen"] or 1) if text.startswith("F") else 0
        copied = int(match["copied"] or tuned) if tuned else frozen
        follows = tuned in (0, frozen + 1) and not (match["tuned"] and copied <= frozen)
        if not follows or first != copied + 1 or not first <= last <= _MOST:
            raise ValueError(
                f"{text!r} does not cover the blocks: frozen, tuned and random ones must follow each other; "
                f"{cls._near(text)}"
            )
        try:
            scheme = cls(last, copied, frozen, match["variant"])
        except ValueError as problem:
            raise ValueError(f"{text!r}: {problem}; {cls._near(text)}") from None
        if str(scheme) != text:
            raise ValueError(f"{text!r} is written {scheme}")
        return scheme

    @classmethod
    def _near(cls, text: str) -> str:
        """What might have been meant."""
        spans = [(mode, int(first), int(last or first)) for mode, first, last in _SPANS.findall(text)]
        sizes = Counter[str]()
        for mode, first, last in spans:
            sizes[mode] += max(0, last - first + 1)
        blocks = min(max((last for _, _, last in spans), default=0), _MOST)
        if blocks < 2:
            return "schemes look like T1-7_R8, F1-4_T5-7_R8, F1-5_R6-8 or R1-8"
        copied = min(sizes["F"] + sizes["T"], blocks - max(1, min(sizes["R"], blocks)))
        return f"near to it is {cls(blocks, copied, min(sizes['F'], copied))}"

    @property
    def mode(self) -> Mode | None:
        """What becomes of copied blocks: all are tuned, the first frozen and the others tuned, or all frozen."""
        if not self.copied:
            return None
        return "T" if not self.frozen else "FT" if self.tuned else "F"

    @property
    def plain(self) -> bool:
        """Whether the paper could have tried it: copied blocks are all tuned or all frozen, in the one usual way."""
        return self.mode != "FT" and not self.variant

    @property
    def between(self) -> bool:
        """Whether it lies between the paper's T(1-7)R(8) and F(1-7)R(8)."""
        return self.mode == "FT" and self.depth == 1 and not self.variant

    @property
    def tuned(self) -> int:
        """How many copied blocks learn."""
        return self.copied - self.frozen

    @property
    def depth(self) -> int:
        """How many blocks at the top are random (1, 3 or 5 in the paper)."""
        return self.blocks - self.copied

    @property
    def settled(self) -> int:
        """In how many blocks at the bottom batch norms keep the source's statistics."""
        return self.copied if "n" in self.variant else self.frozen

    @property
    def random_part(self) -> str:
        """The paper's notation of the random blocks, e.g. `R(6-8)`."""
        return f"R({span(self.copied + 1, self.blocks)})"

    @property
    def paper(self) -> str:
        """The paper's notation of the whole, e.g. `T(1-5)R(6-8)` or `F(1-4)T(5-7)R(8)`."""
        copied = "".join(f"{mode}({span(*ends)})" for mode, ends in self._copied_parts())
        return copied + self.random_part + self.variant

    def __str__(self) -> str:
        """The notation of paths and configs, e.g. `T1-5_R6-8`."""
        copied = "".join(f"{mode}{span(*ends)}_" for mode, ends in self._copied_parts())
        return f"{copied}R{span(self.copied + 1, self.blocks)}{self.variant}"

    def _copied_parts(self) -> list[tuple[str, tuple[int, int]]]:
        """First and last block of those that are frozen, and of those that are tuned, if there are any."""
        parts = [("F", (1, self.frozen)), ("T", (self.frozen + 1, self.copied))]
        return [(mode, ends) for mode, ends in parts if ends[0] <= ends[1]]


def depths(blocks: int) -> tuple[Scheme, ...]:
    """All schemes with one random block, from all others tuned to all others frozen."""
    return tuple(Scheme(blocks, blocks - 1, frozen) for frozen in range(blocks))


def all_but_last(blocks: int) -> tuple[Scheme, Scheme]:
    """The two schemes of the paper's advice: all blocks but the last are copied, and tuned or frozen."""
    return Scheme(blocks, blocks - 1), Scheme(blocks, blocks - 1, blocks - 1)
