"""The project's own standards, held by its tools."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("snakefmt", "--check", "Snakefile", "workflow"),
        ("mypy",),
    ],
    ids=" ".join,
)
def test_the_checker_has_nothing_to_say(command: tuple[str, ...]) -> None:
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_snakemakes_linter_finds_only_what_we_chose() -> None:
    done = run("snakemake", "--lint")
    # All rules run in the one environment that requirements.lock pins; an environment for each rule would be a second
    # list of the same versions.
    chosen = "Specify a conda environment or container for each rule."
    found = re.findall(r"^    \* (.+):$", done.stdout + done.stderr, re.MULTILINE)
    assert chosen in found, "the linter's output is not read rightly any more"
    assert [lint for lint in found if lint != chosen] == []


def test_dependencies_are_locked_and_explained() -> None:
    declared = re.findall(r'^ {4}"([a-zA-Z0-9-]+)>=', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    locked = re.findall(r"^([a-zA-Z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    page = (ROOT / "docs/architecture.md").read_text()
    assert len(declared) > 20
    assert [name for name in declared if name.lower() not in locked] == []
    assert [name for name in declared if f"`{name}`" not in page] == []


def test_the_torch_for_old_cards_is_one_that_the_project_works_with() -> None:
    """It was installed once, with its 3 GB, and tests/training run with it."""
    declared = (ROOT / "pyproject.toml").read_text()
    pins = re.findall(r"^(torch|torchvision)==(.*)$", (ROOT / "constraints-volta.txt").read_text(), re.MULTILINE)
    assert [name for name, _ in pins] == ["torch", "torchvision"]
    for name, pinned in pins:
        (bounds,) = re.findall(rf'^ {{4}}"{name}>=([0-9.]+),<([0-9.]+)",$', declared, re.MULTILINE)
        least, most = ([int(part) for part in bound.split(".")] for bound in bounds)
        assert least <= [int(part) for part in pinned.split(".")][:2] < most
