"""What the pages print as examples: fenced blocks, and commands in them and between words."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHELL = {"", "bash", "console", "sh"}
"""Languages of blocks that hold commands; a block without a language is one of them."""
PROGRAMS = {
    ".", "apt-get", "bash", "cd", "cp", "freeze-or-tune", "git", "lint-imports", "make", "mkdir", "mypy", "pip",
    "pre-commit", "pytest", "python", "ruff", "sacct", "sbatch", "scancel", "scontrol", "sha256sum", "sinfo",
    "snakedeploy", "snakefmt", "snakemake", "squeue", "srun", "touch", "uv",
}  # fmt: skip
"""What makes a command of words in the prose, if they begin with it."""

GENERATED = ROOT / "docs/commands.md"
"""What `--help` says of all commands, which are tested where they are."""

_FENCE = re.compile(r"^( *)(```+|~~~+)(.*)\n((?s:.*?))^ *\2 *$", re.MULTILINE)
# Four spaces after an empty line and outside of lists: Markdown's other kind of block.
_INDENTED = re.compile(r"(?:^(?![-*\d ]).*\n)\n+((?:^ {4}.*\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of a page, and the line that it starts on."""

    language: str
    text: str
    line: int


def pages() -> dict[str, str]:
    """The text of each page by its path."""
    written = (path for path in sorted((ROOT / "docs").glob("*.md")) if path != GENERATED)
    paths = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md")), *written]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths if path.exists()}


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    prose = _without_blocks(page)
    fenced = [(page[: found.start()], found[3].strip(), found[4]) for found in _FENCE.finditer(page)]
    indented = [(prose[: found.start(1)], "", found[1]) for found in _INDENTED.finditer(prose)]
    found = [
        Block(language, textwrap.dedent(text), before.count("\n") + 1) for before, language, text in fenced + indented
    ]
    return sorted(found, key=lambda block: block.line)


def spans(page: str) -> list[str]:
    """What stands between backticks in the prose, also over the end of a line."""
    found = re.findall(r"`((?:[^`\n]|\n(?!\s*\n))+)`", _without_blocks(page))
    return [" ".join(span.split()) for span in found if span.strip()]


def commands(page: str) -> list[str]:
    """The command lines of a page, without comments; those that `&&` joins one by one."""
    lines = [line for block in blocks(page) if block.language in SHELL for line in _typed(block.text)]
    lines += [span for span in spans(page) if span.split()[0] in PROGRAMS]
    return [command.strip() for line in lines for command in line.split(" && ")]


def _typed(text: str) -> Iterator[str]:
    """What a person types; where a block shows prompts, other lines are answers."""
    lines = text.replace("\\\n", " ").splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    for line in lines:
        command = " ".join(re.sub(r"(^|\s+)#.*", "", line).split())
        if command:
            yield command


def _without_blocks(page: str) -> str:
    """The page with the lines of fenced blocks empty, so that all others stay where they are."""
    return _FENCE.sub(lambda found: "\n" * found[0].count("\n"), page)
