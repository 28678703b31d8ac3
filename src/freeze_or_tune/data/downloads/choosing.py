"""Which of a dataset's alternatives is read, decided when a study is loaded, for all its jobs alike.

What the index was made of decides, so that a study with results never changes silently; then what is there, downloaded
or placed by hand; then what can be fetched, as far as the table of downloads knows. Nothing is asked over a network.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from freeze_or_tune.data.downloads.catalogue import Download
from freeze_or_tune.records.findings import Findings
from freeze_or_tune.study.datasets import Alternative, Dataset
from freeze_or_tune.study.images import FETCHED
from freeze_or_tune.study.study import Study

DOWNLOADED = ("resources", "downloads")
Table = Mapping[str, Sequence[Download]]


def chosen(study: Study, table: Table, prefix: str = "") -> Study:
    """The study with one set of files for each dataset; `prefix` is before all folders that rules write to."""
    datasets = {name: _choice(study, name, table, prefix) for name in study.datasets}
    return study.model_copy(update={"datasets": datasets})


def told(study: Study, what: Study) -> dict[str, str]:
    """The datasets that are not read from their first files, and from which instead."""
    return {
        name: ", ".join(what.datasets[name].files)
        for name, dataset in study.datasets.items()
        if dataset.files != what.datasets[name].files
    }


def row_of(table: Table, file: str) -> Download | None:
    """The row of a file that a study names, if the table lists it under its path, resources/downloads/<dataset>/..."""
    parts = Path(file).parts
    rows = table.get(parts[-2], ()) if parts[-4:-2] == DOWNLOADED else ()
    return next((row for row in rows if row.file == parts[-1]), None)


def placed(path: Path) -> Path:
    """Where a person puts a file that is downloaded to `path`."""
    return path.parents[2] / "manual" / path.parent.name / path.name


def _choice(study: Study, name: str, table: Table, prefix: str) -> Dataset:
    dataset = study.datasets[name]
    choices: tuple[Alternative, ...] = getattr(dataset, "choices", ())
    if len(choices) < 2:
        return dataset

    def there(file: str) -> bool:
        path = _path(file, study.results, prefix)
        return path.exists() or (row_of(table, file) is not None and placed(path).exists())

    def fetchable(file: str) -> bool:
        row = row_of(table, file)
        return there(file) or file.startswith(FETCHED) or (row is not None and row.fetchable)

    index = _path(f"{study.results}/indexes/{name}.json", study.results, prefix)
    if index.exists():
        made = [source.path for source in Findings.read(index).files]
        # What was made before there were alternatives was made of the first.
        if found := choices[0] if not made else next((one for one in choices if _same(one.files, made)), None):
            return found
    complete = (one for test in (there, fetchable) for one in choices if all(map(test, one.files)))
    return next(complete, choices[0])


def _same(files: Iterable[str], made: Sequence[str]) -> bool:
    """Whether an index was made of these files, perhaps below a module's prefix."""
    wanted = list(files)
    return len(wanted) == len(made) and all(path.endswith(file) for file, path in zip(wanted, made, strict=True))


def _path(file: str, results: str, prefix: str) -> Path:
    return Path(prefix, file) if file.startswith(("resources/", f"{results}/")) else Path(file)
