"""The notebook as it is kept: valid, and without anything that running it leaves. It is run in test_results.py."""

import nbformat

from .pages import ROOT, pages

NOTEBOOK = ROOT / "docs/notebook.ipynb"


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) > 5
    assert [cell.source for cell in cells if cell.outputs or cell.execution_count is not None or cell.metadata] == []
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_a_page_leads_to_it() -> None:
    assert "(notebook.ipynb)" in pages()["docs/python.md"]
