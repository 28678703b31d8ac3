"""Every command that a page prints has its proof; here those that need no results, in a clone of the repository."""

import re
import shutil
from pathlib import Path

import pytest

from .conftest import check
from .pages import ROOT, commands, pages
from .proofs import COMMANDS, Elsewhere, NotRun, runs_in


def test_all_commands_of_the_pages_have_a_proof_and_no_others() -> None:
    printed = {command: name for name, page in pages().items() for command in commands(page)}
    assert {command: name for command, name in printed.items() if command not in COMMANDS} == {}
    assert [command for command in COMMANDS if command not in printed] == []


@pytest.mark.parametrize("test", sorted({how.test for how in COMMANDS.values() if isinstance(how, Elsewhere)}))
def test_what_is_run_elsewhere_is_run_there(test: str) -> None:
    path, name = test.split("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_what_is_not_run_is_there_at_least() -> None:
    words = [word for command, how in COMMANDS.items() if isinstance(how, NotRun) for word in command.split()]
    assert [word for word in words if "/" in word and not (ROOT / word).exists()] == []


@pytest.mark.slow
@pytest.mark.parametrize("command", runs_in("cloned"))
def test_in_a_clone(command: str, cloned: Path, tmp_path: Path) -> None:
    check(command, shutil.copytree(cloned, tmp_path / "study"))


@pytest.mark.slow
@pytest.mark.parametrize("command", runs_in("small"))
def test_on_small_studies(command: str, small: Path, tmp_path: Path) -> None:
    check(command, shutil.copytree(small, tmp_path / "study", symlinks=True))
