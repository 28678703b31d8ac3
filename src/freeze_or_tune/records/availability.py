"""What `downloads` found: of each dataset and network of a study, where its files are or can be had."""

from typing import Literal

from pydantic import Field

from freeze_or_tune.records.record import Record

State = Literal["alive", "size", "page", "login", "dead", "silent"]
"""size: another one than the table says; page: a web page in the place of the file; silent: nobody answered at all."""


class Answer(Record):
    """What one address answered."""

    address: str
    state: State
    words: str
    bytes: int | None = Field(description="of the file, as the server says; None if it does not")


class ByHand(Record):
    """How a person gets what no program can."""

    pages: tuple[str, ...] = Field(description="the first is its own, others may have it in another form")
    licence: str
    folder: str = Field(description="where to put it")
    what: str = Field(description="its name and what it must be")


class File(Record):
    """One file of a study."""

    path: str
    state: Literal["here", "placed", "wrong", "alive", "missing"] = Field(
        description="placed: by hand, and checked when it is taken; wrong: what is there is not the file; alive: an "
        "address has it"
    )
    words: str = Field("", description="what is wrong with what is there")
    bytes: int | None = None
    answers: tuple[Answer, ...] = ()
    by_hand: ByHand | None = Field(None, description="how to place it, if it is missing and no file of one's own")

    @property
    def here(self) -> bool:
        """Whether it is here."""
        return self.state in ("here", "placed")

    @property
    def had(self) -> bool:
        """Whether it is here, or can be fetched."""
        return self.here or self.state == "alive"

    @property
    def told(self) -> str:
        """The state in a word: of what is missing that of its first address, or that only a person gets it."""
        if self.state != "missing":
            return self.state
        return self.answers[0].state if self.answers else "by hand" if self.by_hand else "absent"


class Choice(Record):
    """Files that together are a dataset, or a network."""

    reader: str
    files: tuple[File, ...]

    @property
    def had(self) -> bool:
        """Whether all of them are here, or can be fetched."""
        return all(file.had for file in self.files)


class Needed(Record):
    """A dataset or a network of a study, and what it may be made of, in order: the first that can be had is taken."""

    name: str
    choices: tuple[Choice, ...]

    @property
    def had(self) -> bool:
        """Whether one of the choices can be had."""
        return any(choice.had for choice in self.choices)


class Availability(Record):
    """What a study needs of others."""

    study: str
    needed: tuple[Needed, ...]

    @property
    def missing(self) -> tuple[Needed, ...]:
        """What cannot be had in any way."""
        return tuple(needed for needed in self.needed if not needed.had)
