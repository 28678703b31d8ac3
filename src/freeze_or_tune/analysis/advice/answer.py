"""The advice for those who program: the record, with the sentences that its pages begin with."""

from freeze_or_tune.analysis.advice import words
from freeze_or_tune.records import advice as records


class Advice(records.Advice):
    """results/advice/<dataset>.json; `print` says what to do, and why."""

    @property
    def verdict(self) -> str:
        """What to do, in a few words."""
        return words.verdict(self)

    @property
    def reason(self) -> str:
        """Why, in a sentence or two."""
        return words.reason(self)

    def __str__(self) -> str:
        """Verdict and reason, what to start from, and warnings and what was noticed in the images, if there is any."""
        schemes = " and ".join(self.schemes)
        lines = [f"{self.verdict}. {self.reason}", f"Start from {self.source}, with {schemes}.", *self.warnings]
        return "\n".join([*lines, *(f"Noticed: {finding}" for finding in self.check.findings)])
