"""Commands of the pages that begin with the results of the embedded study, or with a model for one's own images."""

import re
import shutil
from pathlib import Path

import pytest

from .conftest import check, shell
from .pages import pages
from .proofs import runs_in

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("command", runs_in("finished"))
def test_on_a_finished_study(command: str, finished: Path, tmp_path: Path) -> None:
    check(command, shutil.copytree(finished, tmp_path / "study", symlinks=True))


@pytest.mark.parametrize("command", runs_in("advised"))
def test_with_a_model(command: str, advised: Path, tmp_path: Path) -> None:
    check(command, shutil.copytree(advised, tmp_path / "study", symlinks=True))


def test_a_target_of_ones_own_is_in_all_tables(finished: Path) -> None:
    for number in (1, 2):
        assert re.search(r"^\| birds ", (finished / f"results/tables/table{number}.md").read_text(), re.MULTILINE)
    assert "birds" in (finished / "results/figures/fig2.csv").read_text()


def test_an_answer_looks_as_its_page_shows_it(advised: Path) -> None:
    shown = re.search(r"^\$ (python .+)\n(.+)\n", pages()["docs/advice.md"], re.MULTILINE)
    assert shown
    done = shell(shown[1], advised)
    assert done.returncode == 0, done.stdout
    answers = [re.sub(r"(robin|owl|wren) \d+\.\d %", "class", line) for line in (done.stdout.strip(), shown[2])]
    assert answers == ["new/a.jpg: class, class, class"] * 2
