"""Containers and conda: held to the project's files. How far they were tried, docs/installing.md says."""

import re
import shlex
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {"requirements.lock", "requirements-cpu.lock"}


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the container with what follows it."""
    text = (ROOT / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, rest in (line.split(maxsplit=1) for line in lines)]


def of(kind: str) -> list[str]:
    return [rest for word, rest in instructions() if word == kind]


def test_the_container_is_built_of_files_of_the_project_and_a_lock() -> None:
    copied = {name for rest in of("COPY") for name in shlex.split(rest)[:-1]}
    assert [name for name in copied if not (ROOT / name).exists()] == []
    project, wheel = PROJECT["project"], PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    asked = {project["readme"], *project["license-files"], *wheel["force-include"], *LOCKS, "src", "pyproject.toml"}
    assert copied == asked
    # What is copied is sent to the builder.
    sent = [line.removeprefix("!") for line in (ROOT / ".containerignore").read_text().split() if line[0] == "!"]
    assert [name for name in copied if not any(fnmatch(name, pattern) for pattern in sent)] == []

    (lock,) = of("ARG")
    assert lock == "LOCK=requirements-cpu.lock"
    (run,) = of("RUN")
    (pip,) = (step.split() for step in run.split("&&") if "pip" in step.split())
    assert pip[pip.index("--constraint") + 1] == '"$LOCK"'
    assert pip[-1] == "."
    (base,) = of("FROM")
    assert Version(base.split(":")[1].split("-")[0]) in SpecifierSet(project["requires-python"])


def test_the_container_is_nobodys_root_and_runs_the_command() -> None:
    kinds = [word for word, _ in instructions()]
    assert kinds.index("USER") > kinds.index("RUN")
    assert of("USER") == re.findall(r"--uid (\d+)", of("RUN")[0]) == ["1000"]
    (entry,) = of("ENTRYPOINT")
    assert yaml.safe_load(entry) == [name for name in PROJECT["project"]["scripts"] if name in entry]


def test_conda_brings_a_python_that_the_project_takes_and_pip_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == PROJECT["project"]["name"]
    *conda, pip = environment["dependencies"]
    ranges = {name: SpecifierSet(rest) for name, _, rest in (line.partition(" ") for line in conda)}
    assert ranges.keys() == {"python", "pip"}
    takes = SpecifierSet(PROJECT["project"]["requires-python"])
    assert {minor for minor in range(5, 20) if Version(f"3.{minor}") in ranges["python"]} == {11, 12, 13}
    assert all(Version(f"3.{minor}") in takes for minor in (11, 12, 13))
    assert f"pip{ranges['pip']}" in PROJECT["project"]["dependencies"]
    assert [shlex.split(line) for line in pip["pip"]] == [
        ["--requirement", "requirements-cpu.lock"],
        ["--editable", "."],
    ]
