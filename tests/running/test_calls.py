"""What is asked of the workflow by functions, and what they return."""

from pathlib import Path

import pytest

import freeze_or_tune
from freeze_or_tune import UserError
from freeze_or_tune.analysis.advice.counsel import counsel
from freeze_or_tune.analysis.advice.evidence import read_evidence
from freeze_or_tune.running import own
from freeze_or_tune.running.workflow import Run

from ..analysis.advice.own import check, profile
from ..stages import toy


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Run]:
    """The workflow's runs; each makes what it is asked for, as the workflow would."""
    asked: list[Run] = []

    def run_workflow(run: Run, *_: object) -> None:
        asked.append(run)
        (target,) = (run.directory / name for name in run.targets)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".md":
            told = counsel(check(20), [profile("lite")], [], None, read_evidence(()), {"lite": 8})
            told.write(target.with_suffix(".json"))
        else:
            toy.model(target.parent)

    monkeypatch.setattr(own, "run_workflow", run_workflow)
    (tmp_path / "Vögel 1").mkdir()
    monkeypatch.chdir(tmp_path)
    return asked


def test_advice(runs: list[Run], tmp_path: Path) -> None:
    advice = freeze_or_tune.advise(tmp_path / "Vögel 1", name="birds", network="resnet18.a1_in1k", budget=0, cores=1)
    assert isinstance(advice, freeze_or_tune.Advice)
    assert str(advice).startswith(f"{advice.verdict}. Copy all blocks of lite but the last")
    (run,) = runs
    assert (list(run.targets), run.cores) == (["results/advice/birds.md"], 1)
    assert run.config == {"images": str(tmp_path / "Vögel 1"), "network": "resnet18.a1_in1k", "budget": 0}


def test_a_model(runs: list[Run], tmp_path: Path) -> None:
    model = freeze_or_tune.train(
        "Vögel 1", directory=tmp_path / "elsewhere", study="imagenet-lite", follow_links=True, range="auto"
    )
    assert model.labels == toy.LABELS
    (run,) = runs
    assert list(run.targets) == ["results/imagenet-lite/advice/Vogel-1/model.safetensors"]
    assert run.config == {"images": {"path": str(tmp_path / "Vögel 1"), "follow_links": True, "range": "auto"}}
    assert [Path(file).name for file in run.studies] == ["imagenet-lite.yaml"]


def test_images_that_are_not_there_are_told_before_anything_runs(runs: list[Run]) -> None:
    with pytest.raises(UserError, match="photos does not exist; give a folder of class folders"):
        freeze_or_tune.advise("photos")
    assert runs == []
