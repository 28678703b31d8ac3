"""The metrics of distance between source and target (section 3.1): their names, words and ranges, stated once."""

import math
from typing import Literal, NamedTuple

Metric = Literal["cosine", "mmd", "svm", "cnn"]


class Description(NamedTuple):
    """A metric in tables and figures; `stages/distances` measures it."""

    label: str
    """Heads its column in table 2."""
    axis: str
    """Names its axis in figure 4."""
    highest: float
    """No value is higher; none is below 0."""
    is_accuracy: bool = False
    """Of a classifier that tells source from target: it has a standard error, and is shown in percent."""


METRICS: dict[Metric, Description] = {
    "cosine": Description("cosine distance", "Cosine distance", 2),
    "mmd": Description("MMD", "MMD", math.inf),
    "svm": Description("linear SVM", "Accuracy of a linear SVM", 1, is_accuracy=True),
    "cnn": Description("CNN", "Accuracy of a CNN", 1, is_accuracy=True),
}
