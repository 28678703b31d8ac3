"""Tables in their three forms; the LaTeX is compiled."""

import shutil
import subprocess

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.analysis.show.plot import plot
from freeze_or_tune.analysis.show.sheets import Sheet, escape, write_sheet

ODD = "a_b & 50 % of $x^2 #1 {~} \\ | <é> ≥ ± – [1] ρ"
ENGINE = shutil.which("pdflatex") or shutil.which("tectonic")


def compiled(folder, *names):
    """Compile a document of these tables; its log."""
    inputs = "\n".join(rf"\input{{{name}}}" for name in names)
    document = rf"\documentclass{{article}}\usepackage{{booktabs,graphicx}}\begin{{document}}{inputs}\end{{document}}"
    (folder / "paper.tex").write_text(document)
    options = ["-interaction=nonstopmode", "-halt-on-error"] if "pdflatex" in str(ENGINE) else []
    done = subprocess.run(
        [ENGINE, *options, "paper.tex"], cwd=folder, capture_output=True, text=True, check=False, errors="replace"
    )
    assert done.returncode == 0, done.stdout
    assert (folder / "paper.pdf").read_bytes().startswith(b"%PDF")
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(ENGINE is None, reason="needs a TeX engine")
def test_all_tables_of_a_study_compile_and_fit_the_page(synthetic, tmp_path):
    plot(synthetic, tmp_path)
    log = compiled(tmp_path / "tables", "table1", "table2", "table3")
    assert "Overfull" not in log
    assert "undefined" not in log


@pytest.mark.skipif(ENGINE is None, reason="needs a TeX engine")
def test_odd_names_compile(tmp_path):
    table = pd.DataFrame({ODD: [ODD, "[x]"], "b": ["1", ODD]})
    write_sheet(Sheet(f"Table 7. {ODD}", table, (ODD, table)), [tmp_path / "t.tex"])
    assert "Missing character" not in compiled(tmp_path, "t")


def test_latex_has_the_rules_of_booktabs_and_escaped_names(tmp_path):
    table = pd.DataFrame({"a_b": ["50 %"], "c": ["x & y"]})
    write_sheet(Sheet("Table 7. R&D", table, ('Say "so".', table)), [tmp_path / "t.tex"])
    text = (tmp_path / "t.tex").read_text()
    for part in (r"\caption{R\&D}", r"\label{tab:table7}", r"a\_b & c \\", r"50 \% & x \& y \\", "Say ``so''."):
        assert part in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]


@pytest.mark.skipif(ENGINE is None, reason="needs a TeX engine")
def test_long_cells_are_broken_over_lines_and_not_made_small(tmp_path):
    cells = ["Try Freeze or Tune (12 experiments; paper: Freeze)"] * 2
    table = pd.DataFrame({"distance": ["L (0.0–0.2)", "[M]"], "L": cells, "M": cells, "H": cells})
    write_sheet(Sheet("Table 7. T", table, (table,)), [tmp_path / "t.tex"])
    tex = (tmp_path / "t.tex").read_text()
    # The table as it is before it is made to fit.
    tabular = tex[tex.index(r"\begin{tabular}") : tex.index(r"\end{tabular}")] + r"\end{tabular}"
    (tmp_path / "t.tex").write_text(rf"\small\sbox0{{{tabular}}}\typeout{{WIDE \the\wd0 OF \the\linewidth}}\box0")
    said = compiled(tmp_path, "t").split("WIDE ")[1]
    width, page = (float(part.split("pt")[0]) for part in said.split("OF ")[:2])
    assert width <= page


@given(st.text("_%&#${}^~\\", max_size=8))
def test_no_special_letter_is_left_bare(text):
    bare = escape(text)
    for known in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}"):
        bare = bare.replace(known, "")
    assert len(bare) == 2 * sum(letter in "_%&#${}" for letter in text)


def test_markdown_keeps_bars_within_their_cells(tmp_path):
    table = pd.DataFrame({"a|b": ["x|y"]})
    write_sheet(Sheet("T", table, ("Words.", table)), [tmp_path / "t.md", tmp_path / "t.csv"])
    lines = (tmp_path / "t.md").read_text().splitlines()
    assert lines[0] == "# T"
    assert lines[-1].replace(r"\|", "").count("|") == 2
    assert pd.read_csv(tmp_path / "t.csv").to_dict("list") == {"a|b": ["x|y"]}


def test_another_format_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"not \.xlsx"):
        write_sheet(Sheet("T", pd.DataFrame(), ()), [tmp_path / "t.xlsx"])
