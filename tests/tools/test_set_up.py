"""Which torch is installed, what that costs, and that nothing of another one is left."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from .project import ROOT, project, served, wheel

MAKERS = "https://download.pytorch.org/whl/cpu"


def loaded() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("set_up", ROOT / "tools/set_up.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


set_up = loaded()


@pytest.fixture(autouse=True)
def _not_below_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that `make test` runs are told so by make, whose children then say more."""
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Linux without NVIDIA's driver; a folder for programs and files of one."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(set_up, "DRIVERS", (str(tmp_path / "version"),))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def nvidia_smi(folder: Path) -> Path:
    program = folder / "bin/nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_without_a_driver_torch_is_for_the_cpu(machine: Path) -> None:
    assert set_up.wanted(None, None) == ("cpu", False)


@pytest.mark.parametrize("kind", ["nvidia-smi", "file"])
def test_with_a_driver_it_is_for_gpus(kind: str, machine: Path) -> None:
    if kind == "file":
        (machine / "version").write_text("NVRM version: 580.1")
    else:
        nvidia_smi(machine)
    assert set_up.wanted(None, None) == ("gpu", False)


@pytest.mark.parametrize("build", ["cpu", "gpu"])
def test_what_a_person_says_goes_before_and_is_remembered(build: str, machine: Path) -> None:
    nvidia_smi(machine)
    assert set_up.wanted(build, None) == (build, True)
    assert set_up.wanted(None, set_up.State(build, True, "")) == (build, True)
    assert set_up.wanted(None, set_up.State(build, False, "")) == ("gpu", False)


def test_elsewhere_there_is_one_torch(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert set_up.wanted("cpu", None) == set_up.wanted(None, None) == ("gpu", False)
    assert "NVIDIA" not in set_up.told("gpu", "darwin")


@pytest.mark.parametrize(
    ("python", "system", "processor", "words"),
    [
        ((3, 10), "linux", "x86_64", "Python 3.11 or newer is needed"),
        ((3, 13), "darwin", "x86_64", "no torch for Macs with Intel's processors"),
    ],
)
def test_where_there_is_no_torch_words_say_so(python: tuple[int, int], system: str, processor: str, words: str) -> None:
    assert words in set_up.refused(python, system, processor)


@pytest.mark.parametrize("there", [((3, 11), "linux", "x86_64"), ((3, 13), "darwin", "arm64")])
def test_where_there_is_one_nothing_is_said(there: tuple[tuple[int, int], str, str]) -> None:
    assert set_up.refused(*there) is None


def test_the_lock_for_the_cpu_is_the_other_one_without_cuda() -> None:
    text = (ROOT / "requirements-cpu.lock").read_text(encoding="utf-8")
    assert text == set_up.cpu_lock(ROOT), "say: python tools/set_up.py lock"
    everything, less = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-cpu.lock")
    )
    gone = everything.keys() - less.keys()
    assert {name.split("-")[0] for name in gone} == {"nvidia", "cuda", "triton"}
    assert {name: version for name, version in less.items() if version != everything[name]} == {
        name: f"{everything[name]}+cpu" for name in ("torch", "torchvision")
    }


def test_the_makers_address_stands_in_one_place() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    # A lock is made by the script.
    files = [ROOT / name for name in tracked if name.endswith((".py", ".md", ".toml", ".yml", "file", ".lock", ".txt"))]
    holding = {str(path.relative_to(ROOT)) for path in files if path.is_file() and MAKERS in path.read_text("utf-8")}
    assert holding - {"tests/tools/test_set_up.py", "tests/tools/project.py"} == {
        "tools/set_up.py", "requirements-cpu.lock",
    }  # fmt: skip


def test_the_pages_name_the_sizes_that_are_told() -> None:
    for page in ("README.md", "docs/installing.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for cost in set_up.COSTS.values():
            assert [size for size in re.findall(r"[\d.]+ GB", cost) if size not in text] == [], page


@pytest.fixture
def makers(tmp_path: Path) -> Iterator[str]:
    """Torch's makers: their index has torch for CPUs."""
    for name, version in (("torch", "2.1"), ("torchvision", "0.2")):
        wheel(tmp_path / f"makers/{name}", name, f"{version}+cpu")
    with served(tmp_path / "makers") as address:
        yield address


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that pip finds elsewhere; no settings of this machine's."""
    for name, version in (("torch", "2.1"), ("torchvision", "0.2"), ("nvidia_thing", "1.0"), ("triton", "3.0")):
        wheel(tmp_path / "pypi", name, version)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    empty = tmp_path / "no index"
    empty.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", empty.as_uri())
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "pypi"))


def make(folder: Path, *words: str) -> str:
    command = ["make", ".venv/installed", f"PYTHON={sys.executable}", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def packages(folder: Path) -> dict[str, str]:
    command = [folder / ".venv/bin/python", "-m", "pip", "list", "--format", "freeze"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {name: version for name, _, version in (line.partition("==") for line in said.split()) if name not in _TOOLS}


_TOOLS = {"pip", "setuptools", "wheel"}
CPU = {"small": "1.0", "torch": "2.1+cpu", "torchvision": "0.2+cpu"}
GPU = {"small": "1.0", "torch": "2.1", "torchvision": "0.2", "triton": "3.0"}
NVIDIA = {"nvidia_thing", "nvidia-thing"}


def without(there: dict[str, str], names: set[str]) -> dict[str, str]:
    return {name: version for name, version in there.items() if name not in names}


@pytest.mark.slow
@pytest.mark.usefixtures("pip")
def test_a_choice_is_installed_noticed_when_it_changes_and_leaves_nothing_of_the_other(
    tmp_path: Path, makers: str
) -> None:
    folder = project(tmp_path / "a project", makers)
    subprocess.run([sys.executable, "tools/set_up.py", "lock"], cwd=folder, check=True)

    told = make(folder, "CPU=1")
    assert told.startswith(f"0\nInstalling torch for the CPU and all else: {set_up.COSTS['cpu']}"), told
    assert "Successfully installed torch-2.1+cpu" in told
    assert packages(folder) == CPU
    assert make(folder) == make(folder, "CPU=1") == "0\n"

    assert f"torch for NVIDIA's GPUs and all else: {set_up.COSTS['gpu']}" in make(folder, "GPU=1")
    there = packages(folder)
    assert without(there, NVIDIA) == GPU
    assert there.keys() & NVIDIA
    assert make(folder) == "0\n"

    make(folder, "CPU=1")
    assert packages(folder) == CPU

    (folder / "pyproject.toml").write_text((folder / "pyproject.toml").read_text() + "\n")
    assert "Installing torch for the CPU" in make(folder)


@pytest.mark.slow
@pytest.mark.usefixtures("pip")
def test_where_the_makers_cannot_be_reached_the_other_torch_is_taken_and_its_size_told(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "http://127.0.0.1:9")
    subprocess.run([sys.executable, "tools/set_up.py", "lock"], cwd=folder, check=True)
    if set_up.driver():
        pytest.skip("needs a GPU to be away: with its driver no other torch is asked for")

    told = make(folder, "CPU=1")
    assert told.startswith(
        "2\n127.0.0.1 cannot be reached, or has no torch==2.1+cpu for this Python. Without CPU=1 "
    ), told
    assert not (folder / ".venv/installed").exists()

    told = make(folder)
    assert f"is taken instead.\nInstalling torch for NVIDIA's GPUs and all else: {set_up.COSTS['gpu']}" in told
    assert without(packages(folder), NVIDIA) == GPU
    assert make(folder) == "0\n"


@pytest.mark.slow
@pytest.mark.usefixtures("pip")
def test_what_cannot_be_installed_is_no_environment(tmp_path: Path, makers: str) -> None:
    folder = project(tmp_path / "project", makers)
    (folder / "requirements.lock").write_text("torch==2.1\ntorchvision==0.2\nabsent==1.0\n")
    subprocess.run([sys.executable, "tools/set_up.py", "lock"], cwd=folder, check=True)
    told = make(folder, "GPU=1")
    assert "No matching distribution found for absent==1.0" in told
    assert "\npip has failed, as said above; the same command goes on from there\n" in told
    assert not (folder / ".venv/installed").exists()


@pytest.mark.parametrize(
    ("words", "asked"),
    [((), ""), (("CPU=1",), " cpu"), (("GPU=1",), " gpu"), (("GPU=0",), ""), (("CPU=0", "GPU=1"), " gpu")],
)
@pytest.mark.parametrize("target", ["demo", "test", ".venv/installed"])
def test_make_passes_on_what_is_asked_for(target: str, words: tuple[str, ...], asked: str) -> None:
    command = ["make", "--dry-run", target, "PYTHON=python3", *words]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[0].rstrip() == f"python3 tools/set_up.py{asked}"
