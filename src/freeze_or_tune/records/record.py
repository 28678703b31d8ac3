"""A result that a stage writes as JSON and others read: typed, so that a damaged file is never plotted."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from freeze_or_tune.system.errors import DamagedFile, made_by_the_workflow
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
        """Read and check what a rule has written; UserError if the file is not a whole, valid result."""
        with made_by_the_workflow():
            return cls.read_given(path)

    @classmethod
    def read_given(cls, path: Path | str) -> Self:
        """Likewise, of a file that may be a person's own."""
        try:
            return cls.model_validate_json(Path(path).read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            name = cls.__name__.lower()
            raise DamagedFile(f"{path} is not a complete {name} result ({where}: {first['msg']})") from None
