"""`freeze-or-tune doctor`: what it prints, and how it ends."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from freeze_or_tune.__main__ import main
from freeze_or_tune.records.checkup import Checkup, Finding
from freeze_or_tune.stages import checkup
from freeze_or_tune.stages.checkup import numbers
from freeze_or_tune.stages.checkup.surroundings import Build, Card
from freeze_or_tune.system import disk
from freeze_or_tune.system.machine import Driver

from ..workflow.conftest import ROOT, STUDY

GOOD = Finding(section="Disk", name="results: room", value="9.0 GB free in .")
BAD = Finding(section="GPU", name="GPU 0", value="Tesla V100", remedy="install another torch")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small study, in which the tests are."""
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def doctor(found: list[Finding], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str):
    asked: list[Any] = []

    def examine(study: object, folder: Path, needed: dict[str, float], full: bool) -> list[Finding]:
        asked.extend((folder, needed, full))
        return found

    monkeypatch.setattr(checkup, "examine", examine)
    code = main(["doctor", "--configfile", "study.yaml", *words])
    return code, capsys.readouterr().out, asked


def test_a_machine_that_is_ready(study: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed, _ = doctor([GOOD, GOOD], capsys, monkeypatch)
    assert code == 0
    heading, *lines, last = printed.splitlines()
    assert (heading, last) == ("Disk", "ready")
    assert lines[0].split(maxsplit=2) == ["results:", "room", "9.0 GB free in ."]


def test_what_is_to_be_done_stands_at_the_end(study: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed, _ = doctor([BAD, GOOD], capsys, monkeypatch)
    assert code == 1
    assert printed.endswith("\nnot ready:\n- install another torch\n")
    assert next(line for line in printed.splitlines() if line[0] == "!").split()[1:3] == ["GPU", "0"]


@pytest.mark.parametrize("found", [[GOOD], [BAD, GOOD]])
def test_the_same_as_one_json_object(
    found: list[Finding], study: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, printed, _ = doctor(found, capsys, monkeypatch, "--json")
    assert Checkup.model_validate_json(printed) == Checkup(ready=not code, findings=tuple(found))
    assert code == (BAD in found)


def test_what_is_asked_for_reaches_the_stage(study: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, (folder, needed, full) = doctor([GOOD], capsys, monkeypatch, "--directory", "elsewhere", "--full")
    assert (folder, full) == (Path("elsewhere"), True)
    assert 1e6 < needed["results"] < 1e9  # stores of a tiny study
    assert needed["resources"] == 0


V100 = Card("Tesla V100", (7, 0), 15 * 2**30, 16 * 2**30, budget=7 * 2**30)
BUILD = Build("2.12.0+cu130", "13.0", ("sm_75", "sm_80"))
DRIVER = Driver("535.129.03", ("NVIDIA A40",))


@pytest.mark.parametrize(
    ("place", "name", "answer", "said"),
    [
        (checkup, "these_cards", [V100], r"no code for its compute capability 7\.0.*install torch 2\.10"),
        (checkup, "nvidia_driver", DRIVER, r"the driver 535\.129\.03 is too old.*needs 580 or newer"),
        (disk, "locks", False, "without locks two jobs may do the same work"),
        (disk, "free_bytes", 0, "0.0 GB free, but the study needs"),
        (numbers, "_until_close", [(0.5, 1e-4)], r"a training step of T1-7_R8 is 5e-01 away .* do not train here"),
        (numbers, "_same", False, "T1-7_R8, again, ends with other numbers"),
    ],
)
def test_each_fault_has_its_words_and_ends_with_1(
    place: Any, name: str, answer: object, said: str, study: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = STUDY | {"machine": {"device": "auto"}}
    (study / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    monkeypatch.setattr(checkup, "prepare_device", lambda *settings: torch.device("cpu"))
    monkeypatch.setattr(checkup, "speeds", lambda *trial: iter(()))
    monkeypatch.setattr(checkup, "this_build", lambda: BUILD)
    monkeypatch.setattr(checkup, "nvidia_driver", lambda: None)
    if place is not numbers:
        monkeypatch.setattr(checkup, "trials", lambda *study: [])
    monkeypatch.setattr(place, name, lambda *asked: answer)
    assert main(["doctor", "--configfile", "study.yaml"]) == 1
    printed = capsys.readouterr().out
    assert re.search(rf"\nnot ready:\n(- .*\n)*- .*{said}", printed), printed


def test_snakemake_alone_does_not_ask_for_it(study: Path) -> None:
    where = ["--snakefile", ROOT / "Snakefile", "--configfile", ROOT / "config/config.yaml", "--directory", study]
    command = [sys.executable, "-m", "snakemake", "--dry-run", *where]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert "rule experiment" in done.stdout, done.stderr
    assert "rule doctor" not in done.stdout


@pytest.mark.slow
def test_this_machine(study: Path) -> None:
    """The one test of the whole command."""
    command = [sys.executable, "-m", "freeze_or_tune", "doctor", "--configfile", "study.yaml", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["ready"]
    assert {finding["section"] for finding in found["findings"]} >= {"Software", "Disk", "Numbers", "Speed"}
    assert [path.name for path in study.iterdir()] == ["study.yaml"]


@pytest.fixture
def local_profile(study: Path) -> Path:
    """A profile that submits to this machine, beside a study; started from the repository."""
    profile = study / "profile"
    profile.mkdir()
    (profile / "config.yaml").write_text("cores: 1\nretries: 2\n")
    return profile


@pytest.mark.slow
def test_a_node_is_examined_by_a_job(
    local_profile: Path, study: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    words = ["doctor", "--configfile", str(study / "study.yaml"), "--directory", str(study), "--json"]
    assert main([*words, "--profile", str(local_profile)]) == 0
    printed, said = capfd.readouterr()
    assert Checkup.model_validate_json(printed) == Checkup.read(study / "results/doctor.json")
    assert "examining this node" in said
    assert (study / "results/logs/doctor.log").exists()


@pytest.mark.slow
def test_a_job_that_fails(
    local_profile: Path, study: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (local_profile / "config.yaml").write_text("cores: 1\nconfig: [targets=none]\n")
    words = ["doctor", "--configfile", str(study / "study.yaml"), "--directory", str(study)]
    assert main([*words, "--profile", str(local_profile)]) == 1
    printed, said = capfd.readouterr()
    assert printed == ""
    assert "targets: Input should be a valid dictionary" in said
