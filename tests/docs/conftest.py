"""Folders to run the pages' commands in: as the repository is cloned, with smaller studies, with their results."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from ..workflow.miniature import overlaid
from .pages import ROOT, blocks, pages
from .proofs import COMMANDS, Run

CLONED = (
    "Makefile", "Snakefile", "benchmarks", "config", "profiles", "pyproject.toml", "requirements.lock",
    "requirements-cpu.lock", "src", "tools", "workflow",
)  # fmt: skip
CPU = {"device": "cpu"}
FEW = {"batch": 10, "epochs": 1, "min_iterations": 4, "max_iterations": 4, "evaluations": 1}
NARROW = {"channels": [8, 8, 8, 8, 8], "features": 16, "image_size": 64, "crop": 60}
# What the pages name is there; all else is left out, or as small as it may be.
SMALLER = {
    "config/config.yaml": {
        "runs": 1,
        "machine": CPU,
        "datasets": {"latin-a": {"images": 8}, "latin-b": None, "greek": None, "solar-cells": None},
        "networks": {"caffenet-small": NARROW},
        "sources": {"latin-a": {"pretraining": {"n": 4, "val": 2, "test": 2, "solver": FEW}}},
        "targets": {"latin-b": None, "greek": None, "digits": {"n": [10], "test": 20}, "solar-cells": None},
        "schemes": ["T1-7_R8", "F1-7_R8"],
        "solver": FEW,
        "distances": {"metrics": ["cosine"]},
        "advice": {"sources": ["latin-a"], "solver": FEW},
    },
    "benchmarks/study.yaml": {
        "machine": CPU,
        "datasets": {"latin-a": {"images": 8}, "greek": {"images": 18}, "solar-cells": None},
        "networks": {"small": NARROW, "caffenet": NARROW},
        "sources": {"latin-a": {"pretraining": {"n": 4, "val": 2, "test": 2, "solver": FEW}}, "untrained": None},
        "targets": {"greek": {"n": [10], "val": 3, "test": 5}, "cells": None, "caffenet": None},
        "solver": {"batch": 240, "min_iterations": 1},
    },
}  # fmt: skip


def shell(command: str, folder: Path, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run a line as a person would type it, in the activated environment."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "EDITOR": "head --lines=20",  # shows what an editor would
    }
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT, text=True, check=False, timeout=timeout,
    )  # fmt: skip


def check(command: str, folder: Path) -> None:
    """Run a command that has its proof here, in a folder of its own, and look at what it has made and said."""
    how = COMMANDS[command]
    assert isinstance(how, Run)
    for path in how.makes:
        (folder / path).unlink(missing_ok=True)
    done = shell(re.sub("( -- .*)?$", rf" {how.plus}\1", command, count=1), folder)
    assert done.returncode == 0, done.stdout
    said = re.sub(" +", " ", done.stdout)
    assert [words for words in how.says if not re.search(rf"(?<!\S){re.escape(words)}(?!\S)", said)] == [], done.stdout
    assert [path for path in how.makes if not (folder / path).stat().st_size] == []


def example(page: str, number: int = 0) -> dict[str, Any]:
    """What a YAML block of a page says."""
    found = [block.text for block in blocks(pages()[page]) if block.language == "yaml"]
    return dict(yaml.safe_load(found[number]))


def change(path: Path, *changes: Mapping[str, Any]) -> None:
    """Lay changes over a study's file, key by key."""
    study = yaml.safe_load(path.read_text())
    for each in changes:
        study = overlaid(study, each)
    path.write_text(yaml.safe_dump(study, sort_keys=False))


def draw_birds(folder: Path, each: int) -> None:
    """Three kinds of birds, seen as stripes."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :64]
    for name, wave in {"robin": rows, "owl": columns, "wren": rows + columns}.items():
        (folder / name).mkdir(parents=True)
        for number in range(1, each + 1):
            brightness = 0.5 + 0.5 * np.sin(wave / 3 + random.uniform(0, 6))
            colours = brightness[..., None] * random.uniform(120, 255, 3)
            Image.fromarray(colours.astype(np.uint8)).save(folder / name / f"IMG_{number:04d}.jpg")


@pytest.fixture(scope="session")
def cloned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a person has after `git clone`."""
    folder = tmp_path_factory.mktemp("cloned")
    for name in CLONED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def small(cloned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with smaller studies, one's own images, and what else the pages name."""
    folder = shutil.copytree(cloned, tmp_path_factory.mktemp("small") / "study")
    for path, changes in SMALLER.items():
        change(folder / path, changes)
    change(folder / "config/config.yaml", example("docs/configuration.md"))
    shutil.copy2(folder / "config/config.yaml", folder / "FILE")
    draw_birds(folder / "path/to/orchids", 50)
    draw_birds(folder / "path/to/photos", 15)
    draw_birds(folder / "photos", 15)
    (folder / "new").mkdir()
    shutil.copy2(folder / "photos/robin/IMG_0001.jpg", folder / "new/a.jpg")
    shutil.copy2(folder / "photos/robin/IMG_0001.jpg", folder / "new.jpg")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="session")
def finished(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after `snakemake`."""
    folder = shutil.copytree(small, tmp_path_factory.mktemp("finished") / "study", symlinks=True)
    done = shell("snakemake", folder)
    assert done.returncode == 0, done.stdout
    shutil.copy2(folder / "results/experiments.csv", folder)
    return folder


@pytest.fixture(scope="session")
def advised(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a model for one's own images."""
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("advised") / "study", symlinks=True)
    done = shell("snakemake --config images=photos -- results/advice/birds/model.safetensors", folder)
    assert done.returncode == 0, done.stdout
    return folder
