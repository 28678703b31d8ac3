"""What a machine was found to be able to do: results/doctor.json."""

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from freeze_or_tune.records.record import Record


class Finding(Record):
    """One thing that was looked at."""

    section: str
    name: str
    value: str
    remedy: str = Field("", description="what to do; the machine is not ready if there is anything to do")


class Checkup(Record):
    """All findings, in the order in which they were made."""

    ready: bool
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Self:
        """A machine is ready if nothing needs to be done."""
        found = tuple(findings)
        return cls(ready=not any(one.remedy for one in found), findings=found)
