"""All of it together, on this machine."""

from pathlib import Path

import pytest
import torch

from freeze_or_tune.records.checkup import Checkup
from freeze_or_tune.stages import checkup
from freeze_or_tune.stages.checkup import examine, speed, write_checkup
from freeze_or_tune.study.reading import load_study
from freeze_or_tune.study.study import Study

from ...workflow.conftest import STUDY

NEEDED = {"results": 1e6, "resources": 0.0}


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(speed, "_SECONDS", 0.01)
    return load_study(STUDY)


def test_a_machine_that_is_ready(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_checkup(study, NEEDED, 1, Path("results/doctor.json"))
    found = Checkup.read("results/doctor.json")
    assert [finding.remedy for finding in found.findings if finding.remedy] == []
    assert found.ready
    assert list(dict.fromkeys(finding.section for finding in found.findings)) == [
        "Software", "GPU", "CPU", "Memory", "Disk", "Numbers", "Speed"
    ]  # fmt: skip
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["doctor.json"]


def test_a_gpu_asked_for_in_vain(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    wanted = study.model_copy(update={"machine": study.machine.model_copy(update={"device": "cuda"})})
    found = list(examine(wanted, tmp_path, NEEDED))
    assert found[-1].value == "no network can be tried"
    assert "no GPU is visible to this job" in found[-1].remedy
    assert not Checkup.of(found).ready


def test_a_device_that_breaks_down(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nmore lines")

    monkeypatch.setattr(checkup, "agreement", break_down)
    remedies = [finding.remedy for finding in examine(study, tmp_path, NEEDED) if finding.remedy]
    assert remedies == ["see why narrow fails: CUDA error: an illegal memory access was encountered"]


def test_a_gpu_that_does_not_answer(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable")

    monkeypatch.setattr(checkup, "these_cards", busy)
    monkeypatch.setattr(checkup, "trials", lambda study, device, full: [])
    found = {finding.section: finding.remedy for finding in examine(study, tmp_path, NEEDED)}
    assert found["GPU"] == "see why torch fails: CUDA error: all CUDA-capable devices are busy or unavailable"
