"""A distance between source and target, and the mean features that some are measured by."""

from pydantic import Field

from freeze_or_tune.records.record import Record
from freeze_or_tune.study.metrics import Metric


class Distance(Record):
    """results/distances/<target>/<metric>.json."""

    metric: Metric
    source: str
    target: str
    value: float = Field(description="cosine in [0, 1], mmd >= 0; svm and cnn: held-out accuracy in [0, 1]")
    standard_error: float | None = Field(None, description="of a held-out accuracy")
    source_images: int
    target_images: int
    estimated: bool = Field(False, description="the source's mean is no measured one, but of batch norm's statistics")


class MeanFeatures(Record):
    """results/features/<source>/<dataset>.json: the mean of a dataset's features; or a source's `mean_features`."""

    images: int = Field(ge=0, description="how many it is the mean of; 0 if it is estimated")
    mean: tuple[float, ...]
    estimated: bool = Field(False, description="from the statistics of batch norms, where the images are not here")
    about: str = Field("", description="network, weights and images, for those who get the file from others")
