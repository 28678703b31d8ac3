"""A result that a stage writes as JSON and others read: typed, so that a damaged file is never plotted."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import write_text

Accuracy = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    """A result file: written whole or not at all, checked when read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def write(self, path: Path | str) -> None:
        """Write as indented JSON, atomically."""
        write_text(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read and check; UserError if the file is not a whole, valid result."""
        try:
            return cls.model_validate_json(Path(path).read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise UserError(
                f"{path} is not a complete {cls.__name__.lower()} result ({where}: {first['msg']}); "
                "delete it and run snakemake again"
            ) from None
