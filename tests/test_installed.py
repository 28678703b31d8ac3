"""The package as people get it: the built wheel in an environment of its own, far from any clone."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .docs.pages import ROOT

WHERE = "Fotos für später"
"""A path with spaces and an umlaut."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, built from the sdist as `pip install` of that would."""
    folder = tmp_path_factory.mktemp("built")
    for target in ("sdist", "wheel"):
        command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", folder]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment with the wheel; what it depends on comes from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    packages = folder / f"lib/python{sysconfig.get_python_version()}/site-packages"
    # A line for a path is taken as it is: the editable installation there is not followed.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (wheel,) = built.glob("*.whl")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--python",
        folder / "bin/python",
        "install",
        "--ignore-installed",
    ]
    subprocess.run([*command, "--no-deps", "--no-index", wheel], check=True)
    return folder / "bin"


@pytest.fixture
def hostile(installed: Path) -> Mapping[str, str]:
    """An environment without a home, without a language, and without the clone."""
    kept = {
        key: value for key, value in os.environ.items() if re.match("OPENBLAS|PIP_|SSL_|REQUESTS_|HTTPS?_|NO_", key)
    }
    # How this machine gets packages is no matter of the home.
    kept["PIP_CONFIG_FILE"] = str(Path(os.environ.get("XDG_CONFIG_HOME", "~/.config")).expanduser() / "pip/pip.conf")
    return kept | {
        "PATH": f"{installed}:/usr/bin:/bin", "HOME": "/dev/null/home", "LANG": "C", "LC_ALL": "C",
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip


def typed(
    words: list[object], folder: Path, environment: Mapping[str, str], status: int = 0
) -> subprocess.CompletedProcess[str]:
    """What a command says that ends with a status; no terminal is there."""
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done


def draw(folder: Path, each: int) -> None:
    """Two kinds of pictures, told apart by their stripes."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :64]
    for name, wave in {"lying": rows, "über": columns}.items():
        (folder / name).mkdir(parents=True)
        for number in range(each):
            brightness = 0.5 + 0.5 * np.sin(wave / 3 + random.uniform(0, 6))
            colours = brightness[..., None] * random.uniform(120, 255, 3)
            Image.fromarray(colours.astype(np.uint8)).save(folder / name / f"{number}.jpg")


# Of the study that ships, but quicker: how well it learns is not looked at here.
QUICK = """
advice:
  solver: { epochs: 1, min_iterations: 4, max_iterations: 4, evaluations: 1 }
"""


@pytest.mark.slow
def test_from_a_folder_to_a_prediction(tmp_path: Path, hostile: Mapping[str, str]) -> None:
    """In an empty folder: advice, then what it says to go on with, the model and a prediction."""
    folder = tmp_path / "leer & neu"
    folder.mkdir()
    draw(folder / WHERE, 14)
    (tmp_path / "quick.yaml").write_text(QUICK)
    quick = ["--study", "config", "--study", "../quick.yaml"]
    advised = typed(["freeze-or-tune", "advise", WHERE, "--budget", "0", "--name", "spaeter", *quick], folder, hostile)
    assert advised.stderr.splitlines()[-1].startswith("writing the advice")
    make = advised.stdout.split("The model:")[1].strip()
    assert make.startswith(f"freeze-or-tune model '{WHERE}' --name spaeter --budget 0 --study ")
    made = typed(["bash", "-c", make], folder, hostile)
    use = made.stdout.split("Use it:")[1].strip().replace("IMAGE", f"'{WHERE}'/über/1.jpg --json")
    (found,) = json.loads(typed(["bash", "-c", use], folder, hostile).stdout)
    assert {one["label"] for one in found["classes"]} == {"lying", "über"}
    assert sum(one["probability"] for one in found["classes"]) == pytest.approx(1)
    assert {path.name for path in folder.iterdir()} == {".snakemake", WHERE, "resources", "results"}


@pytest.mark.slow
def test_what_is_no_folder_of_images_is_said_in_a_sentence(tmp_path: Path, hostile: Mapping[str, str]) -> None:
    gone = typed(["freeze-or-tune", "advise", "photos"], tmp_path, hostile, status=1)
    assert gone.stderr.startswith("error: photos does not exist; give a folder of class folders, a zip or tar of such")
    (tmp_path / "photos").mkdir()
    empty = typed(["freeze-or-tune", "advise", "photos"], tmp_path, hostile, status=1)
    assert "error: photos holds no images; it needs one folder of images a class\n  log: results/logs/" in empty.stderr
    assert "Traceback" not in empty.stderr


def test_the_studies_that_ship_are_there_by_name(tmp_path: Path, hostile: Mapping[str, str]) -> None:
    counted = typed(["freeze-or-tune", "status", "--study", "paper"], tmp_path, hostile)
    assert counted.stdout.split()[-2:] == ["all", "178"]
    assert "waiting" in typed(["python", "-m", "freeze_or_tune", "status"], tmp_path, hostile).stdout
    assert "Traceback" not in typed(["freeze-or-tune", "resources"], tmp_path, hostile).stderr


@pytest.mark.slow
def test_a_study_is_planned_on_a_cluster_as_in_a_clone(tmp_path: Path, hostile: Mapping[str, str]) -> None:
    typed(["freeze-or-tune", "init"], tmp_path, hostile)
    with_home = {**hostile, "HOME": str(tmp_path)}  # without one snakemake itself fails
    draw(tmp_path / "photos", 3)
    planned = typed(["python", "-m", "snakemake", "--profile", "profiles/slurm", "--dry-run"], tmp_path, with_home)
    assert "experiment" in planned.stdout
    assert "caffenet" not in planned.stdout  # the paper's study, which the clone's profile names


def test_the_sdist_is_whole(built: Path) -> None:
    """What git has, but for what only a clone's own services read."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    if not any(tracked):
        pytest.skip("this is no clone")
    assert {name for name in tracked if name and not name.startswith(".")} - held == set()
