"""What contributors, and those who cite, are told: held to what it speaks of."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from freeze_or_tune import __version__

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/freeze_or_tune"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def parsed(name: str) -> Any:
    return yaml.safe_load(text(name))


def release(title: str) -> str:
    """A section of the changelog."""
    found = re.search(
        rf"^## {re.escape(title)}( - \d{{4}}-\d\d-\d\d)?\n(.*?)(?=^## |\Z)", text("CHANGELOG.md"), re.M | re.S
    )
    assert found, f"CHANGELOG.md has no section {title}"
    return found[2]


def test_there_is_one_version_and_the_changelog_has_it() -> None:
    assert PROJECT["version"] == __version__
    assert parsed("CITATION.cff")["version"] == __version__
    assert f'VERSION = "{__version__}"' in text("workflow/rules/package.smk")
    assert set(re.findall(r'"v([0-9.]+)"|--tag v([0-9.]+)', text("docs/module.md"))) == {
        (__version__, ""),
        ("", __version__),
    }
    assert "### " in release(__version__)


def test_the_citation_is_of_this_software_and_of_the_papers_doi() -> None:
    citation = parsed("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert (citation["title"], citation["license"]) == (PROJECT["name"], PROJECT["license"])
    holder = re.search(r"^Copyright \(c\) \d+ (.+)$", text("LICENSE"), re.MULTILINE)
    assert holder
    assert [author["name"].lower() for author in citation["authors"]] == [holder[1].lower()]
    papers = re.findall(r"https://doi\.org/([^)\s]+)", text("README.md"))
    assert [reference["doi"] for reference in citation["references"]] == papers[:1]


def test_modules_are_where_the_changelog_says_they_are_now() -> None:
    rows = re.findall(r"^\| `.+ \| (.+) \|$", release("Unreleased"), re.MULTILINE)
    modules = [module for row in rows for module in re.findall(r"`([\w.]+)`", row)]
    paths = [PACKAGE / module.replace(".", "/") for module in modules]
    assert [path for path in paths if not (path.with_suffix(".py").exists() or path.is_dir())] == []


def test_ci_runs_everything_once_and_all_pythons_that_are_promised() -> None:
    workflow = parsed(".github/workflows/ci.yml")
    assert {"push", "pull_request"} <= set(workflow[True])  # YAML reads `on` as a boolean
    assert workflow["permissions"] == {"contents": "read"}

    everything, pythons = workflow["jobs"]["all"], workflow["jobs"]["pythons"]
    assert [step["run"] for step in everything["steps"] if "run" in step] == ["bash .ci/run"]
    assert [step["run"] for step in pythons["steps"] if "run" in step] == ["make test PYTHON=python"]

    oldest = re.fullmatch(r">=(3\.\d+)", PROJECT["requires-python"])
    assert oldest
    assert everything["container"]["image"].startswith(f"python:{oldest[1]}-")
    classifiers = PROJECT.get("classifiers", [])
    promised = {name.rsplit(" ", 1)[1] for name in classifiers if re.search(r":: Python :: 3\.\d+$", name)}
    matrix = pythons["strategy"]["matrix"]
    assert matrix["experimental"] == [False]
    assert promised | {oldest[1]} <= set(matrix["python"])
    assert all(isinstance(python, str) for python in matrix["python"]), "3.10 without quotes is 3.1"


def test_hooks_before_a_commit_are_the_tests_checkers() -> None:
    hooks = [hook for repository in parsed(".pre-commit-config.yaml")["repos"] for hook in repository["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    programs, *_ = zip(*(hook["entry"].split("/bin/", 1) for hook in hooks), strict=True)
    assert set(programs) == {".venv"}
    commands = {tuple(hook["entry"].removeprefix(".venv/bin/").split()) for hook in hooks}

    checkers = [
        ast.literal_eval(node.args[1])
        for node in ast.walk(ast.parse(text("tests/test_quality.py")))
        if isinstance(node, ast.Call) and node.args and getattr(node.args[0], "value", None) == "command"
    ]
    assert len(checkers) == 1, "the list of checkers is not read rightly any more"
    (walls,) = commands - set(checkers[0])
    assert set(checkers[0]) <= commands
    assert walls[0] == "lint-imports"
    assert [
        option for option in ("lint_imports_command", *walls[1:]) if option not in text("tests/test_walls.py")
    ] == []


@pytest.mark.parametrize("form", ["bug", "idea"])
def test_a_form_can_be_filled_in(form: str) -> None:
    content = parsed(f".github/ISSUE_TEMPLATE/{form}.yml")
    assert content["name"]
    assert content["description"]
    names = [field["id"] for field in content["body"]]
    assert len(names) == len(set(names))
    assert any(field.get("validations", {}).get("required") for field in content["body"])


def test_a_report_of_a_fault_has_what_is_needed_to_look_into_it() -> None:
    fields = {field["id"]: field for field in parsed(".github/ISSUE_TEMPLATE/bug.yml")["body"]}
    required = {name for name, field in fields.items() if field["validations"]["required"]}
    assert {"ran", "config", "log", "status", "versions"} <= required
    told = {name: field["attributes"]["description"] for name, field in fields.items()}
    assert "`freeze-or-tune status --configfile FILE`" in told["status"]
    assert (PACKAGE / "commands/status.py").exists()
    logs = ("results/logs", ".snakemake/slurm_logs")
    assert [
        folder for folder in logs if f"`{folder}`" not in told["log"] or folder not in text("docs/cluster.md")
    ] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", ".github/pull_request_template.md"])
def test_files_that_contributors_are_sent_to_exist(page: str) -> None:
    pattern = r"(?:`|\]\()((?:src|tests|docs|config|\.ci)/[\w./-]+|[\w-]+\.(?:md|toml|cff|lock))(?:#[\w-]*)?[`)]"
    named = re.findall(pattern, text(page))
    assert len(named) > 2
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_rooms_that_contributors_are_told_of_are_those_there_are() -> None:
    told = re.search(r"has eleven rooms:(.+?)\. The tests", text("CONTRIBUTING.md"), re.DOTALL)
    assert told
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert set(re.findall(r"`(\w+)`", told[1])) == rooms
    assert [room for room in rooms if not (ROOT / "tests" / room).is_dir()] == []
    assert len(rooms) == 11
