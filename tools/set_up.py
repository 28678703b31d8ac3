"""Make .venv what a lock says, with the torch that this machine has use for. Needs Python alone: `make` calls it.

python tools/set_up.py [cpu|gpu]    set up; by default as it was, or GPUs where NVIDIA's driver is
python tools/set_up.py lock         make requirements-cpu.lock of requirements.lock
"""

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

OLDEST = (3, 11)
LOCKS = {"cpu": "requirements-cpu.lock", "gpu": "requirements.lock"}
MEANT = {"cpu": "the CPU", "gpu": "NVIDIA's GPUs"}
COSTS = {"cpu": "0.6 GB to download, 2.2 GB on disk", "gpu": "3.4 GB to download, 6.8 GB on disk"}
"""Measured on Linux, x86-64; docs/installing.md says how."""
DRIVERS = ("/proc/driver/nvidia/version", "/usr/lib/wsl/lib/nvidia-smi")
"""What is there where NVIDIA's driver is: on Linux, and on Windows' WSL."""
_ONLY_CUDA = re.compile(r"(nvidia|cuda)-|triton==")
_OF_TORCH = re.compile(r"^((?:torch|torchvision)==\S+)", re.MULTILINE)


class State(NamedTuple):
    """What .venv was set up as, kept in .venv/installed."""

    build: str
    chosen: bool
    """By hand, and not by what was found."""
    files: str
    """A digest of what it was installed from."""


def main(root: Path, word: str | None = None) -> str | None:
    """Do what is asked; what is wrong if it cannot be done."""
    if word == "lock":
        (root / LOCKS["cpu"]).write_text(cpu_lock(root), encoding="utf-8")
        return None
    if word not in {None, *LOCKS}:
        return __doc__
    if problem := refused(sys.version_info[:2], sys.platform, platform.machine()):
        return problem
    try:
        return set_up(root, word)
    except subprocess.CalledProcessError as failed:
        return f"{failed.cmd[2]} has failed, as said above; the same command goes on from there"


def refused(python: tuple[int, ...], system: str, machine: str) -> str | None:
    """Why there is no torch for a machine, and what to do; None if there is."""
    if python < OLDEST:
        return "Python 3.11 or newer is needed; name one with: make demo PYTHON=python3.11"
    if system == "darwin" and machine == "x86_64":
        return (
            "there is no torch for Macs with Intel's processors (the last was 2.2); on one with Apple's this Python is "
            "translated: name another one with: make demo PYTHON=/opt/homebrew/bin/python3.13"
        )
    return None


def set_up(root: Path, asked: str | None) -> str | None:
    """Install what is missing; nothing if all is there."""
    environment = root / ".venv"
    before, python = recorded(environment / "installed"), "{}.{}".format(*sys.version_info)
    build, chosen = wanted(asked, before)
    # PyPI's torch computes on CPUs, too: it stays where no other could be had, or where the driver has gone.
    if made_with(environment) == python and before in {
        State(enough, chosen, digest(root, enough)) for enough in (build, build if chosen else "gpu")
    }:
        return None

    if (there := made_with(environment)) != python:
        if there:
            print(f".venv is of Python {there}: it is made anew with {python}.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
    pip: list[str | Path] = [environment / "bin/python", "-m", "pip", "--disable-pip-version-check"]
    if build == "cpu" and (problem := missing(pip, root)):
        if chosen:
            return f"{problem}. Without CPU=1 PyPI's torch is taken, which brings NVIDIA's libraries: {COSTS['gpu']}"
        print(f"{problem}: PyPI's torch, which brings NVIDIA's libraries, is taken instead.", flush=True)
        build = "gpu"
    print(told(build, sys.platform), flush=True)
    (environment / "installed").unlink(missing_ok=True)
    if extra := foreign(root, build, installed(pip)):
        subprocess.run([*pip, "uninstall", "--quiet", "--yes", *extra], check=True)
    subprocess.run([*pip, "install", "--requirement", root / LOCKS[build]], check=True)
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--editable", root], check=True)
    record(environment / "installed", State(build, chosen, digest(root, build)))
    return None


def made_with(environment: Path) -> str | None:
    """The Python of an environment, such as 3.13; None if there is no whole one."""
    try:
        found = re.search(r"^version\w* *= *(\d+\.\d+)", (environment / "pyvenv.cfg").read_text(), re.MULTILINE)
    except OSError:
        return None
    return found[1] if found and (environment / "bin/python").exists() else None


def wanted(asked: str | None, before: State | None) -> tuple[str, bool]:
    """For what torch is to compute, and whether a person has said so: now, or when .venv was made."""
    if sys.platform != "linux":
        return "gpu", False  # PyPI's, which has nothing of NVIDIA's elsewhere
    if asked:
        return asked, True
    if before and before.chosen:
        return before.build, True
    return ("gpu" if driver() else "cpu"), False


def driver() -> bool:
    """Whether this machine has NVIDIA's driver."""
    return bool(shutil.which("nvidia-smi")) or any(Path(path).exists() for path in DRIVERS)


def told(build: str, system: str) -> str:
    """What is about to happen, and what it costs."""
    if system != "linux":
        return "Installing the packages of requirements.lock: 0.4 GB to download."
    other = {
        "cpu": "For GPUs, also those of a cluster's nodes: make .venv/installed GPU=1",
        "gpu": "Without them: make .venv/installed CPU=1",
    }
    return f"Installing torch for {MEANT[build]} and all else: {COSTS[build]}, one to ten minutes.\n{other[build]}"


def missing(pip: Sequence[str | Path], root: Path) -> str | None:
    """What is wrong if torch's makers cannot be reached, or have not this torch for this Python."""
    lock = (root / LOCKS["cpu"]).read_text(encoding="utf-8")
    address = re.findall(r"^--extra-index-url (\S+)$", lock, re.MULTILINE)[0]
    for pinned in _OF_TORCH.findall(lock):
        name, version = pinned.split("==")
        command = [*pip, "index", "versions", name, "--index-url", address, "--retries", "1", "--timeout", "15"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        if not re.search(rf"(?<![\w.]){re.escape(version)}(?![\w.+])", said):
            return f"{urlsplit(address).hostname} cannot be reached, or has no {pinned} for this Python"
    return None


def installed(pip: Sequence[str | Path]) -> list[tuple[str, str]]:
    """Names and versions of what is in the environment."""
    listed = subprocess.run([*pip, "list", "--format", "json"], capture_output=True, text=True, check=True).stdout
    return [(package["name"].lower().replace("_", "-"), package["version"]) for package in json.loads(listed)]


def foreign(root: Path, build: str, there: list[tuple[str, str]]) -> list[str]:
    """What the other build's lock has brought: pip would leave it, and takes 2.14.1+cpu for 2.14.1."""
    names = {key: set(re.findall(r"^([\w.-]+)==", (root / lock).read_text(), re.M)) for key, lock in LOCKS.items()}
    others = names["gpu" if build == "cpu" else "cpu"] - names[build]
    return [
        name
        for name, version in there
        if name in others or (name in {"torch", "torchvision"} and version.endswith("+cpu") != (build == "cpu"))
    ]


def cpu_lock(root: Path) -> str:
    """The lock without what only CUDA needs, with the makers' own torch for CPUs."""
    head = (
        "# Linux without NVIDIA's libraries: requirements.lock with torch for CPUs, made of it by `make lock`.\n"
        "# Where torch's makers keep that; the only place with this address.\n"
        "--extra-index-url https://download.pytorch.org/whl/cpu\n"
    )
    kept, keeping = [], True
    for line in (root / LOCKS["gpu"]).read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.startswith(" "):  # what follows, indented, says who needs it
            keeping = not _ONLY_CUDA.match(line)
        if keeping:
            kept.append(line)
    return head + _OF_TORCH.sub(r"\1+cpu", "".join(kept))


def digest(root: Path, build: str) -> str:
    """Of the files that say what is installed."""
    return hashlib.sha256(
        b"\0".join((root / name).read_bytes() for name in (LOCKS[build], "pyproject.toml"))
    ).hexdigest()


def recorded(path: Path) -> State | None:
    """How .venv was set up; None if it was not, or by an older version of this."""
    try:
        return State(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def record(path: Path, state: State) -> None:
    """Say that all is there."""
    path.write_text(json.dumps(state._asdict(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1], *sys.argv[1:2]))
