"""Images named by a CSV with the columns path and label, the paths starting from the CSV's own folder."""

from pathlib import Path

from freeze_or_tune.data.archives.base import safe_name
from freeze_or_tune.data.archives.folders import FolderArchive
from freeze_or_tune.system.csv_files import read_table
from freeze_or_tune.system.errors import UserError

COLUMNS = ("path", "label")


class ListedArchive(FolderArchive):
    """The files that a CSV lists; nothing else in its folder is looked at."""

    def __init__(self, table: Path, *, follow_links: bool = False) -> None:
        """Read the CSV; UserError names the line that is wrong."""
        super().__init__(table.parent, follow_links=follow_links)
        self.table = table
        self.labels: dict[str, str] = {}
        for line, (path, label) in read_table(table, COLUMNS):
            name, problem = safe_name(path), ""
            if name is None:
                problem = f"{path!r} is not a path below the CSV's folder"
            elif not label:
                problem = f"{path!r} has no label"
            elif self.labels.setdefault(name, label) != label:
                problem = f"{path!r} has another label than before"
            if problem:
                raise UserError(f"{table}, line {line}: {problem}")

    def names(self) -> list[str]:
        """Sorted paths of the files that are listed and there."""
        there = {name for name in self.labels if self._holds(name)}
        self.left_out = tuple(sorted(self.labels.keys() - there))
        return sorted(there)
