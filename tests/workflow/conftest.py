import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, STDOUT

import numpy as np
import pytest
import yaml
from PIL import Image

from freeze_or_tune.system.locks import locked

ROOT = Path(__file__).parents[2]
Snakemake = Callable[..., subprocess.CompletedProcess[str]]

SOLVER = {
    "batch": 20, "epochs": 4, "min_iterations": 60, "max_iterations": 60, "evaluations": 3, "views": 2, "mirror": False,
}  # fmt: skip
# At this rate twelve seeds of twelve learnt it; at twice the rate two of them did not.
LONGER = SOLVER | {"min_iterations": 300, "max_iterations": 300, "learning_rate": 0.005}
STUDY = {
    "name": "tiny",
    "seed": 3,
    "machine": {"device": "cpu"},
    "datasets": {
        "stripes": {"reader": "folder", "path": "my stripes"},
        "digits": {"reader": "digits"},
    },
    "networks": {
        "narrow": {
            "channels": [8, 8, 8, 8, 8], "features": 16, "image_size": 64, "crop": 60,
            "scale": 0.0156, "filler": "msra", "dropout": 0.1,
        }
    },
    "sources": {
        "stripes-net": {
            "dataset": "stripes", "network": "narrow",
            "pretraining": {"n": 17, "val": 5, "test": 10, "solver": LONGER},
        }
    },
    "targets": {
        "itself": {"dataset": "stripes", "source": "stripes-net", "n": [5], "val": 5, "test": 10},
        "digits": {"dataset": "digits", "source": "stripes-net", "n": [2, 10], "val": 5, "test": 20},
    },
    "schemes": ["T1-7_R8", "F1-7_R8"],
    "solver": SOLVER,
    "probes": True,
    "distances": {"svm": {"samples": 60}, "cnn": {"samples": 60, "iterations": 20, "batch": 20}},
}  # fmt: skip


def draw_stripes(folder: Path) -> None:
    """Four classes of 36 pictures: stripes of one direction, of any phase and colour."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :48]
    waves = {"flat": rows, "steep": columns, "rising": rows + columns, "falling": rows - columns}
    for name, wave in waves.items():
        (folder / name).mkdir(parents=True)
        for i in range(36):
            brightness = 0.5 + 0.5 * np.sin(wave / 3 + random.uniform(0, 6))
            colours = brightness[..., None] * random.uniform(120, 255, 3)
            Image.fromarray(colours.astype(np.uint8)).save(folder / name / f"picture {i}.png")


def snakemake_in(
    folder: Path, snakefile: Path = ROOT / "Snakefile", study: Path | None = None, timeout: float = 900
) -> Snakemake:
    """Run snakemake in a folder, on its `study.yaml` or another study."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--directory", folder,
            "--configfile", study or folder / "study.yaml", "--profile", ROOT / "profiles/default", "--cores", "2",
            *arguments,
        ]  # fmt: skip
        return subprocess.run(command, cwd=folder, stdout=PIPE, stderr=STDOUT, text=True, check=False, timeout=timeout)

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that ran to its end, once for all workers; not to be changed."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "tiny study"
    with locked(shared / "tiny study.lock", folder):
        if not folder.exists():
            work = tmp_path_factory.mktemp("tiny study in the making") / folder.name
            draw_stripes(work / "my stripes")
            (work / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
            done = snakemake_in(work)()
            assert done.returncode == 0, done.stdout
            work.rename(folder)
    return folder


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished study, to do harm to."""
    return shutil.copytree(finished, tmp_path / "study", symlinks=True)


@pytest.fixture
def snakemake(study: Path) -> Snakemake:
    """Run snakemake on the copy."""
    return snakemake_in(study)
