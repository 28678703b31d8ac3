"""Commands of the pages that begin with the results of the embedded study, or with a model for one's own images."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from .conftest import check, shell
from .pages import ROOT, blocks, pages
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
        assert re.search(r"^\| orchids ", (finished / f"results/tables/table{number}.md").read_text(), re.MULTILINE)
    assert "orchids" in (finished / "results/figures/fig2.csv").read_text()


def test_an_answer_looks_as_its_page_shows_it(advised: Path) -> None:
    shown = re.search(r"^\$ (freeze-or-tune .+)\n(.+)\n", pages()["docs/advice.md"], re.MULTILINE)
    assert shown
    done = shell(shown[1], advised)
    assert done.returncode == 0, done.stdout
    answers = [re.sub(r"(robin|owl|wren) \d+\.\d %", "class", line) for line in (done.stdout.strip(), shown[2])]
    assert answers == ["new/a.jpg: class, class, class"] * 2


PYTHON = {
    "docs/python.md": (
        "Start from latin-a, with", "('owl', 'robin', 'wren')", "new/a.jpg ",
        "['image', 'label', 'probability', 'p_owl'", "cannot read missing.jpg: No such file",
    )
}  # fmt: skip
"""Words that the blocks of a page print, in this order."""


def test_blocks_of_python_run_one_after_the_other(advised: Path, tmp_path: Path) -> None:
    scripts = {
        name: "".join(block.text for block in blocks(page) if block.language == "python")
        for name, page in pages().items()
    }
    assert [name for name, script in scripts.items() if script] == list(PYTHON)
    for name, words in PYTHON.items():
        folder = shutil.copytree(advised, tmp_path / name, symlinks=True)
        (folder / "page.py").write_text(scripts[name], encoding="utf-8")
        before = (folder / "results/advice/birds/model.safetensors").stat().st_mtime_ns
        done = shell("python page.py", folder)
        assert done.returncode == 0, done.stdout
        places = [done.stdout.find(word) for word in words]
        assert places == sorted(places), done.stdout
        assert places[0] >= 0, done.stdout
        # What the commands have made is what the functions ask for.
        assert (folder / "results/advice/birds/model.safetensors").stat().st_mtime_ns == before, done.stdout


def test_the_notebook_runs_from_top_to_bottom(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "study", symlinks=True)
    notebook = nbformat.read(ROOT / "docs/notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    printed = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    shown = [kind for output in outputs for kind in output.get("data", ())]
    assert "Start from latin-a, with" in printed
    assert re.search(r"^\d+\.\d% of 400 are right$", printed, re.MULTILINE)
    assert shown.count("image/png") == 2  # of the advice, and of the mistakes
    assert {"text/markdown", "text/html"} <= set(shown)
