"""Imports run one way: `lint-imports` on the table in pyproject.toml, and that it would see what runs another way."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = Path("src/freeze_or_tune")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the package that lies in a folder, not the installed one."""
    code = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as main; main()"
    command = [sys.executable, "-c", code, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package and of the table of its walls."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_import_runs_downwards() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("room", "statement", "wall"),
    [
        ("system/files.py", "from freeze_or_tune.study import levels", "The floors"),
        ("study/levels.py", "import freeze_or_tune.records.recipes", "The floors"),
        ("training/loop.py", "from freeze_or_tune.data.store import Store", "The floors"),
        ("analysis/show/style.py", "from freeze_or_tune.data import splits", "The floors"),
        ("data/store.py", "from freeze_or_tune.networks import layered", "Data and analysis know nothing of networks"),
        ("analysis/results/table.py", "import freeze_or_tune.analysis.show.style", "Inside analysis"),
        ("analysis/page/write.py", "from freeze_or_tune.analysis.advice import star", "Inside analysis"),
        ("data/layouts/cub.py", "from freeze_or_tune.data import index", "Inside data"),
        ("planning/costs.py", "def late():\n    import torch", "No torch where the Snakefile and figures would wait"),
        ("training/solver.py", "from freeze_or_tune.training import loop", "No circles"),
        ("stages/distances/sides.py", "from freeze_or_tune.stages.distances import svm", "No circles"),
    ],
)
def test_an_import_that_runs_another_way_is_refused(house: Path, room: str, statement: str, wall: str) -> None:
    with (house / PACKAGE / room).open("a") as file:
        file.write(f"\n{statement}\n")
    done = lint(house)
    assert done.returncode == 1, done.stdout
    assert any(line.startswith(wall) and line.endswith("BROKEN") for line in done.stdout.splitlines()), done.stdout


def test_a_new_room_needs_a_floor(house: Path) -> None:
    (house / PACKAGE / "attic.py").touch()
    done = lint(house)
    assert done.returncode != 0
    assert "attic" in done.stdout
