"""Where a network that others have trained comes from."""

from pydantic import Field

from freeze_or_tune.records.record import Record


class Origin(Record):
    """A file of others."""

    file: str
    sha256: str
    address: str | None = Field(description="url or page of its row in config/downloads.csv, or the repository")
    revision: str | None = Field(None, description="of the repository: the commit that was fetched")
    licence: str | None


class ImportedNetwork(Record):
    """results/networks/<source>.json of a source whose weights others have trained."""

    source: str
    format: str = Field(description="suffix of the file: caffemodel, onnx, pth, safetensors, whl or zip")
    classes: int = Field(description="of its classifier; 0 if it was trained without one")
    parameters: int = Field(description="how many numbers (CaffeNet: 60,965,224)")
    weights: Origin
    mean: Origin | None = Field(None, description="CaffeNet's; timm's networks have one number a channel")
