"""What is noticed about images: in words for their owner, by kind and number for programs."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from freeze_or_tune.records.record import Record

Kind = Literal[
    "unreadable", "ignored", "stray", "links", "copies", "contradictions", "small", "imbalance", "validation", "test",
    "read", "missing", "alike", "near", "doubtful", "crossing", "scenes", "untaught",
]  # fmt: skip
"""read: what was taken for what, where that is no matter of course. missing: classes that a part lacks. alike: classes
whose names hardly differ. near: images that nearly equal others of their class; doubtful: others of another class.
crossing: images of one group in several given parts. scenes: classes of too few groups; untaught: those that no image
trains."""

_EXAMPLES = 3


class Finding(Record):
    """Something about the images that their owner should know."""

    kind: Kind
    words: str = Field(description="what was found, and what was done about it")
    count: int
    examples: tuple[str, ...] = Field((), description="the first few, as Python prints them: a name may hold anything")

    @classmethod
    def of(cls, kind: Kind, names: Iterable[str], words: str) -> "list[Finding]":
        """One about `names`, or none if there are none."""
        listed = sorted(names)
        examples = tuple(repr(name) for name in listed[:_EXAMPLES])
        return [cls(kind=kind, count=len(listed), words=words, examples=examples)] if listed else []

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.words}: {self.count:,}" + (f", such as {', '.join(self.examples)}" if self.examples else "")


class Source(Record):
    """A file or a folder that a dataset was read from."""

    path: str
    digest: str = Field(
        description="<algorithm>:<digits>; of a folder `names:` and those of the names and sizes of its images"
    )


class Findings(Record):
    """<results>/indexes/<dataset>.json: what it was read from, and what its reader has noticed."""

    findings: tuple[Finding, ...]
    reader: str = ""
    files: tuple[Source, ...] = Field((), description="they decide which of a dataset's alternatives it stays")
