"""Other systems, as far as a process can be told that it is on one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .other_systems import pretending

ROOT = Path(__file__).parents[2]
WORDS = "freeze-or-tune needs Linux or macOS; on Windows use WSL: say `wsl --install`, and install it there"
EVERYTHING = """
import importlib, pkgutil, sys
import freeze_or_tune
for module in pkgutil.walk_packages(freeze_or_tune.__path__, "freeze_or_tune."):
    importlib.import_module(module.name)
"""
MACHINE = """
from freeze_or_tune.system import machine
import os, re, resource, sys
assert sys.platform == "darwin" and not hasattr(os, "sched_getaffinity")
print(machine.usable_cores(), machine.available_memory_mb(), machine.nvidia_driver())
resource.getrusage = lambda who: type("Usage", (), {"ru_maxrss": 50 * 2**20})  # bytes, there
print(machine.peak_resident_mb())
"""
CACHE = """
import tempfile, torch
from freeze_or_tune.system.disk import take
with tempfile.TemporaryFile() as file:
    take(file, 3 * 2**20 + 5)
    print(file.seek(0, 2))
"""


def python(platform: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([pretending(folder / "hook", platform), str(ROOT / "src")])
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", [[], ["--help"], ["status"], ["advise", "photos"]], ids=" ".join)
def test_windows_is_refused_in_words(words: list[str], tmp_path: Path) -> None:
    done = python("win32", tmp_path, "-m", "freeze_or_tune", *words)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"error: {WORDS}\n")


def test_so_it_is_by_snakemake(tmp_path: Path) -> None:
    done = python("win32", tmp_path, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "1")
    assert done.returncode == 1
    assert WORDS in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_so_it_is_from_python(tmp_path: Path) -> None:
    done = python("win32", tmp_path, "-c", "from freeze_or_tune import Model")
    assert done.returncode == 1
    assert done.stderr.endswith(f"UserError: {WORDS}\n")


def test_on_a_mac_all_can_be_imported(tmp_path: Path) -> None:
    done = python("darwin", tmp_path, "-c", EVERYTHING)
    assert done.returncode == 0, done.stderr


def test_on_a_mac_the_machine_says_what_it_can(tmp_path: Path) -> None:
    done = python("darwin", tmp_path, "-c", MACHINE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{os.cpu_count()} inf None", "50.0"]


def test_on_a_mac_a_cache_takes_its_room_beforehand(tmp_path: Path) -> None:
    done = python("darwin", tmp_path, "-c", CACHE)
    assert (done.returncode, done.stdout) == (0, f"{3 * 2**20 + 5}\n"), done.stderr
