"""What a model says of images, for programs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 10
"""Images in a `repr`."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one image, or why it could not be read."""

    image: str
    """Its path; of an image without one its number, from 0: `image 0`."""
    label: str = ""
    """The likeliest; none if the image could not be read."""
    probability: float = float("nan")
    """Of the likeliest label."""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    """Of every label, in the model's order."""
    error: str = ""
    """Why the image could not be read."""

    def likeliest(self, most: int) -> list[tuple[str, float]]:
        """The first few labels and their probabilities, the likeliest first."""
        return sorted(self.probabilities.items(), key=lambda item: -item[1])[:most]


class Predictions(Sequence[Prediction]):
    """What a model says of several images, in their order."""

    def __init__(self, predictions: Iterable[Prediction], labels: Sequence[str]) -> None:
        """Keep what is predicted, and the model's labels."""
        self._all, self.labels = tuple(predictions), tuple(labels)

    @property
    def unreadable(self) -> "Predictions":
        """Those of images that could not be read."""
        return Predictions((one for one in self if one.error), self.labels)

    def to_frame(self) -> "pd.DataFrame":
        """One row an image: `image`, `label`, `probability`, `p_<label>` of each label, and `error`.

        What is not known of an image that could not be read is missing (NaN).
        """
        import pandas as pd  # noqa: PLC0415 - who does not ask for a table does not wait for it

        return pd.DataFrame(rows(self, self.labels), columns=columns(self.labels))

    @overload
    def __getitem__(self, place: int) -> Prediction: ...
    @overload
    def __getitem__(self, place: slice) -> "Predictions": ...
    def __getitem__(self, place: int | slice) -> "Prediction | Predictions":
        """One, or some of them."""
        return Predictions(self._all[place], self.labels) if isinstance(place, slice) else self._all[place]

    def __len__(self) -> int:
        """How many images."""
        return len(self._all)

    def __repr__(self) -> str:
        """The first few, one a line."""
        lines = [f"{one.image!r}: {one.error or f'{one.label!r} {one.probability:.3f}'}" for one in self._all[:_SHOWN]]
        more = [f"and {len(self) - _SHOWN:,} more"] if len(self) > _SHOWN else []
        return "\n".join([f"<Predictions of {len(self):,} images>", *lines, *more])


def columns(labels: Sequence[str]) -> list[str]:
    """Of a table of predictions; no label can be taken for another column."""
    return ["image", "label", "probability", *(f"p_{label}" for label in labels), "error"]


def rows(predictions: Iterable[Prediction], labels: Sequence[str]) -> Iterator[list[str | float | None]]:
    """Of a table of predictions, with None where there is nothing to say."""
    for one in predictions:
        if one.error:
            yield [one.image, *[None] * (len(labels) + 2), one.error]
        else:
            yield [one.image, one.label, one.probability, *(one.probabilities[label] for label in labels), None]
