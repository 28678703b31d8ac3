"""What `advise` and `model` are told, and whom they ask."""

from pathlib import Path

import pytest

from freeze_or_tune.__main__ import main
from freeze_or_tune.commands.options import bounds
from freeze_or_tune.running import own
from freeze_or_tune.running.workflow import Run
from freeze_or_tune.system.errors import UserError


@pytest.mark.parametrize("command", ["advise", "model"])
def test_how_images_are_read_reaches_the_workflow(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_workflow(run: Run, *_: object) -> None:
        raise UserError(f"asked: {run.config['images']}")

    monkeypatch.setattr(own, "run_workflow", run_workflow)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "photos").mkdir()
    given = ["--follow-links", "--orientation", "stored", "--range", "0,4095"]
    assert main([command, "~/photos", *given]) == 1
    wanted = {"path": str(tmp_path / "photos"), "follow_links": True, "orientation": "stored", "range": (0.0, 4095.0)}
    assert f"asked: {wanted}" in capsys.readouterr().err
    assert main([command, "photos"]) == 1
    assert "asked: photos\n" in capsys.readouterr().err
    assert main([command, "photos", "--range", "4095"]) == 1
    assert "'4095' is no range; write" in capsys.readouterr().err


def test_ranges() -> None:
    assert (bounds("auto"), bounds("-1, 1"), bounds("0,0.5")) == ("auto", (-1.0, 1.0), (0.0, 0.5))
    for text in ("", "1", "1,2,3", "a,b", "full"):
        with pytest.raises(UserError, match="is no range"):
            bounds(text)
