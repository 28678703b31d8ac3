"""Transfer schemes: which blocks are copied, and whether they are frozen or tuned (section 3 of the paper).

`T1-7_R8` is the paper's T(1-7)R(8): blocks 1-7 are copied and fine-tuned, block 8 starts from random values.
`F1-5_R6-8` copies and freezes blocks 1-5. `R1-8` copies nothing (pretraining, or training from scratch).
"""

import re
from dataclasses import dataclass
from typing import Literal, Self

Mode = Literal["T", "F"]

_PATTERN = re.compile(r"(?:(?P<mode>[TF])1(?:-(?P<copied>\d+))?_)?R(?P<first>\d+)(?:-(?P<last>\d+))?")


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


@dataclass(frozen=True, order=True)
class Scheme:
    """Blocks 1..`copied` come from the source and are tuned (T) or frozen (F); the others, to `blocks`, are random."""

    blocks: int
    copied: int
    mode: Mode | None

    def __post_init__(self) -> None:
        """Raise ValueError unless 0 <= copied < blocks and a mode is given exactly if something is copied."""
        if not 0 <= self.copied < self.blocks:
            raise ValueError(f"{self.copied} of {self.blocks} blocks cannot be copied: the last is always random")
        if (self.mode is None) != (self.copied == 0):
            raise ValueError("a mode (T or F) belongs to copied blocks, and only to them")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the notation; ValueError says what is wrong with `text`."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a scheme; schemes look like T1-7_R8, F1-5_R6-8 or R1-8")
        first = int(match["first"])
        last = int(match["last"] or first)
        copied = int(match["copied"] or 1) if match["mode"] else 0
        if first != copied + 1 or last < first:
            raise ValueError(f"{text!r} does not cover the blocks: the random ones must follow the copied ones")
        scheme = cls(blocks=last, copied=copied, mode=match["mode"])  # type: ignore[arg-type]
        if str(scheme) != text:
            raise ValueError(f"{text!r} is written {scheme}")
        return scheme

    @property
    def depth(self) -> int:
        """How many blocks at the top are random (1, 3 or 5 in the paper)."""
        return self.blocks - self.copied

    @property
    def frozen(self) -> int:
        """How many blocks at the bottom never change."""
        return self.copied if self.mode == "F" else 0

    @property
    def random_part(self) -> str:
        """The paper's notation of the random blocks, e.g. `R(6-8)`."""
        return f"R({_span(self.copied + 1, self.blocks)})"

    @property
    def paper(self) -> str:
        """The paper's notation of the whole, e.g. `T(1-5)R(6-8)`."""
        return (f"{self.mode}({_span(1, self.copied)})" if self.mode else "") + self.random_part

    def __str__(self) -> str:
        """The notation of paths and configs, e.g. `T1-5_R6-8`."""
        copied = f"{self.mode}{_span(1, self.copied)}_" if self.mode else ""
        return f"{copied}R{_span(self.copied + 1, self.blocks)}"


def all_but_last(blocks: int) -> tuple[Scheme, Scheme]:
    """The two schemes of the paper's advice: all blocks but the last are copied, and tuned or frozen."""
    return Scheme(blocks, blocks - 1, "T"), Scheme(blocks, blocks - 1, "F")
