"""No message tells people to delete a file of their own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from freeze_or_tune.system.errors import DamagedFile, SpoiltFile, UserError, made_by_the_workflow

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/freeze_or_tune"
ERRORS = Path("system/errors.py")
DELETE = re.compile(r"\b(delete|remove|erase|discard|unlink|rm)\b", re.IGNORECASE)

MADE = {
    "analysis/page/gather.py": "experiments.csv and the records of experiments, for the rule `page`",
    "analysis/results/candidates.py": "candidates.csv, for the rule `rates`",
    "analysis/results/collecting.py": "records of experiments and distances",
    "analysis/results/mixing.py": "records of experiments",
    "analysis/show/plot.py": "experiments.csv, for the rules `figure` and `table` alone",
    "data/downloads/hub.py": "the revision of a first download, which is written beside it",
    "data/downloads/hub_datasets.py": "the revision of a first download, which is written beside it",
    "data/downloads/whole.py": "the digest of a first download, which is written beside it",
    "data/index.py": "indexes",
    "data/rows.py": "stores",
    "data/samples.py": "stores",
    "data/splits.py": "splits",
    "data/store.py": "stores",
    "networks/weights.py": "source networks below results/networks",
    "records/record.py": "all records but those that are given",
    "stages/distances/sides.py": "features",
}
"""What of each module's may be deleted: never what a person gives, whatever the folder it lies in."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for folder in (PACKAGE, ROOT / "workflow/scripts"):
        for path in sorted(folder.rglob("*.py")):
            yield path, ast.parse(path.read_text())


def words(tree: ast.Module) -> Iterator[str]:
    """All texts of a module that are neither docstrings nor the help of an option."""
    others = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"typer.Option", "typer.Argument"}:
            others |= {id(one) for one in ast.walk(call)}
    for one in ast.walk(tree):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in others:
            yield one.value


def test_one_place_says_what_may_be_deleted() -> None:
    said = {path.relative_to(PACKAGE) for path, tree in sources() if any(map(DELETE.search, words(tree)))}
    assert said == {ERRORS}, "raise a SpoiltFile for what the workflow made; for people's files say how they should be"
    rules = [*(ROOT / "workflow").rglob("*.smk"), ROOT / "workflow/Snakefile"]
    told = [path.name for path in rules if re.search(r"Error\([^)]*\b(delete|remove)\b", path.read_text())]
    assert not told


def test_who_says_so_reads_what_the_workflow_makes() -> None:
    names = {"SpoiltFile", "made_by_the_workflow"}
    found = {
        str(path.relative_to(PACKAGE))
        for path, tree in sources()
        if any(isinstance(one, ast.ImportFrom) and names & {name.name for name in one.names} for one in ast.walk(tree))
    }
    assert found == MADE.keys(), "say here what a module's SpoiltFile is raised for"


def test_a_spoilt_file_may_be_deleted() -> None:
    assert str(SpoiltFile("a.csv is damaged")) == "a.csv is damaged; delete it and run snakemake again"
    assert str(SpoiltFile("a differs from b", "both")) == "a differs from b; delete both and run snakemake again"


def test_a_damaged_file_is_spoilt_only_where_the_workflow_made_it() -> None:
    @made_by_the_workflow()
    def read(error: Exception) -> None:
        raise error

    for _ in range(2):
        with pytest.raises(SpoiltFile, match=r"^a\.csv is damaged; delete it and run snakemake again$"):
            read(DamagedFile("a.csv is damaged"))
    for error in (UserError("a.csv does not exist"), SpoiltFile("b.csv is damaged"), KeyError("c")):
        with pytest.raises(type(error)) as raised:
            read(error)
        assert raised.value is error
