"""A table in its three forms: CSV to compute with, Markdown to read, LaTeX to put into a paper."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from freeze_or_tune.system.files import replacing, write_text


@dataclass(frozen=True)
class Sheet:
    """A table: its title, all its numbers, and the page of paragraphs and grids of text that shows them."""

    title: str
    data: pd.DataFrame
    page: tuple[str | pd.DataFrame, ...]


def write_sheet(sheet: Sheet, outputs: Sequence[Path]) -> None:
    """Write each output in the format of its suffix: .csv, .md or .tex."""
    for output in outputs:
        if output.suffix == ".csv":
            write_csv(sheet.data, output)
        elif output.suffix in (".md", ".tex"):
            write_text(output, _markdown(sheet) if output.suffix == ".md" else _latex(sheet))
        else:
            raise ValueError(f"tables are written as .csv, .md or .tex, not {output.suffix}")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write with all digits, whole or not at all."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _markdown(sheet: Sheet) -> str:
    parts = [part if isinstance(part, str) else _grid(part) for part in sheet.page]
    return "\n\n".join([f"# {sheet.title}", *parts]) + "\n"


def _grid(table: pd.DataFrame) -> str:
    bars = table.rename(columns=_bar).map(_bar)
    return str(tabulate(bars, headers="keys", tablefmt="pipe", showindex=False, disable_numparse=True))


def _bar(text: str) -> str:
    return text.replace("|", r"\|")


def _latex(sheet: Sheet) -> str:
    """A floating table for booktabs: the title is its caption, paragraphs and grids follow in their order."""
    number, _, title = sheet.title.partition(". ")
    label = number.lower().replace(" ", "")
    head = [
        "% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.", "\\begin{table}", "\\centering", "\\small",
        f"\\caption{{{escape(title)}}}", f"\\label{{tab:{label}}}",
    ]  # fmt: skip
    parts = [escape(part) if isinstance(part, str) else _tabular(part) for part in sheet.page]
    return "\n".join([*head, "\n\\par\\medskip\n".join(parts), "\\end{table}"]) + "\n"


LONG = 24
"""Letters of a cell that is better broken over lines than made small with its whole table."""


def _tabular(table: pd.DataFrame) -> str:
    long = [column for column in table if table[column].map(len).max() > LONG]
    escaped = table.map(escape)
    for column in long:
        # A group of its own, for \raggedright changes what ends a row.
        escaped[column] = [rf"{{\raggedright {cell}\par}}" for cell in escaped[column]]
    formats = [rf"p{{{0.69 / len(long):.2f}\linewidth}}" if column in long else "l" for column in table]
    shown = escaped.rename(columns=escape).style.hide(axis="index")
    tabular = shown.to_latex(hrules=True, column_format="".join(formats))
    # What is wider than the page is made to fit, nothing else is scaled.
    return f"\\resizebox{{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}}{{!}}{{%\n{tabular.rstrip()}%\n}}"


_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "≥": r"$\geq$", "±": r"$\pm$", "–": "--", "ρ": r"$\rho$", "[": "{[}",
})  # fmt: skip


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands (a cell that begins with a bracket is no option of the line before it)."""
    return re.sub('"([^"]*)"', r"``\1''", text.translate(_LATEX))
