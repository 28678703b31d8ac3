"""What is found on a page, and what is not."""

import re

import pytest

from .conftest import shell
from .pages import ROOT, SHELL, Block, blocks, commands, pages, spans

PAGE = """\
# A page

Say `snakemake --newly-added` or, over the end of a line, `make
something`; `snakemake-plugin`, `results/x.csv` and `--cores 4` are no commands.

```
snakemake one   # a comment
# only a comment

make a && make b
snakemake \\
    two
```

1. In a list:

   ```console
   $ pytest tests
   3 passed
   ```

   ```yaml
   name: a study # `make nothing`
   ```

```text
photos/
```

Indented:

    git clone it

`pip
`
"""


def test_commands_stand_in_blocks_and_between_words() -> None:
    assert commands(PAGE) == [
        "snakemake one", "make a", "make b", "snakemake two", "pytest tests", "git clone it",
        "snakemake --newly-added", "make something", "pip",
    ]  # fmt: skip


def test_blocks_are_found_with_their_language_and_line() -> None:
    found = blocks(PAGE)
    lines = [(block.language, block.line) for block in found]
    assert lines == [("", 6), ("console", 17), ("yaml", 22), ("text", 26), ("", 32)]
    assert found[2] == Block("yaml", "name: a study # `make nothing`\n", 22)


def test_all_pages_are_read() -> None:
    assert {"README.md", "docs/advice.md", "docs/results.md"} <= pages().keys()
    assert len(commands(pages()["README.md"])) > 10


@pytest.mark.parametrize("name", pages())
def test_what_is_in_a_block_is_known(name: str) -> None:
    """YAML is for test_studies.py, Snakefiles for test_modules.py, Python for test_results.py; `text` is not run."""
    assert {block.language for block in blocks(pages()[name])} - SHELL <= {"yaml", "python", "snakemake", "text"}


COMMANDS = ("advise", "doctor", "downloads", "mean-features", "plot", "predict", "run")


def test_options_between_words_are_options() -> None:
    """Of snakemake with the plugin, of our own commands, and the two of SLURM that the profile speaks of."""
    named = {(name, option) for name, page in pages().items() for span in spans(page) if span.startswith("--")
             for option in re.findall(r"(?<!\S)--[\w-]+", span)}  # fmt: skip
    assert len(named) > 10
    helps = [
        "snakemake",
        "pip install",
        *(f"freeze-or-tune {command}" for command in COMMANDS),
    ]
    known = {option for command in helps for option in re.findall(r"--[\w-]+", shell(f"{command} --help", ROOT).stdout)}
    assert {(name, option) for name, option in named if option not in known | {"--gpus", "--gres"}} == set()
