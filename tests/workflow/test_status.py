"""`freeze-or-tune status` on the folder of a real study in every condition."""

import subprocess
import sys
from pathlib import Path

import pytest

from freeze_or_tune.__main__ import main
from freeze_or_tune.planning.status import State, failed_stages, standings
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.training.checkpoint import only_process

EXPERIMENT = Path("results/experiments/digits/n10/T1-7_R8.json")
LOG = Path("results/logs/experiments/digits/n10/T1-7_R8.log")


@pytest.fixture(autouse=True)
def inside(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study)


def standing() -> tuple[State, str]:
    found = {(one.target, one.n, one.scheme): one for one in standings(read_study("study.yaml"))}
    one = found["digits", 10, "T1-7_R8"]
    assert one.log == LOG
    return one.state, one.note


def status(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["status", "--configfile", "study.yaml"])
    return code, capsys.readouterr().out


def test_a_finished_study(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = status(capsys)
    assert code == 0
    rows, hints = printed.splitlines()[2:5], printed.splitlines()[5:]
    assert [line.split() for line in rows] == [["itself", "2"], ["digits", "4"], ["all", "6"]]
    # After 60 iterations a loss may still fall.
    assert all(line.startswith("experiments that may not have converged: ") for line in hints)


def test_an_experiment_that_nobody_has_begun_waits(capsys: pytest.CaptureFixture[str]) -> None:
    EXPERIMENT.unlink()
    LOG.unlink()
    assert standing() == ("waiting", "")
    assert status(capsys)[0] == 0


def test_a_damaged_record_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    EXPERIMENT.write_bytes(EXPERIMENT.read_bytes()[:300])
    assert standing()[0] == "damaged"
    code, printed = status(capsys)
    assert code == 1
    assert f"{EXPERIMENT} is not a complete experiment result" in printed


def test_an_experiment_runs_while_its_lock_is_held(capsys: pytest.CaptureFixture[str]) -> None:
    EXPERIMENT.unlink()
    LOG.write_text("2026-01-01 00:00:00,000 INFO iteration 20/60: loss 1.0\n")
    with only_process(EXPERIMENT):
        assert standing() == ("running", "iteration 20/60: loss 1.0")
        assert status(capsys)[0] == 0
    assert standing()[0] == "interrupted"


def test_the_lock_of_a_dead_process_is_no_sign_of_life(capsys: pytest.CaptureFixture[str]) -> None:
    EXPERIMENT.unlink()
    holding = f"""
import os
from pathlib import Path
from freeze_or_tune.training.checkpoint import only_process
with only_process(Path({str(EXPERIMENT)!r})):
    os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", holding], check=False).returncode == -9
    assert EXPERIMENT.with_name(".T1-7_R8.lock").exists()
    assert standing()[0] == "interrupted"


def test_a_run_that_a_signal_has_ended_has_not_failed(capsys: pytest.CaptureFixture[str]) -> None:
    EXPERIMENT.unlink()
    stopping = f"""
import signal
from pathlib import Path
from freeze_or_tune.system.job import logged
from freeze_or_tune.training.checkpoint import Checkpoints
states = Checkpoints(Path("states"), 60)
with logged({str(LOG)!r}), states.listening():
    signal.raise_signal(signal.SIGTERM)
    states.save({{"iteration": 7}})
"""
    assert subprocess.run([sys.executable, "-c", stopping], check=False, capture_output=True).returncode == 1
    state, note = standing()
    assert state == "interrupted"
    assert note.startswith("stopped by SIGTERM at iteration 7")
    assert status(capsys)[0] == 0


def test_an_experiment_whose_result_was_removed_waits_to_be_made_again() -> None:
    EXPERIMENT.unlink()
    assert LOG.exists()
    assert standing() == ("waiting", "")


def test_a_failed_experiment_with_its_reason_and_log(capsys: pytest.CaptureFixture[str]) -> None:
    EXPERIMENT.unlink()
    failing = f"""
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.job import logged
with logged({str(LOG)!r}):
    raise UserError("the store is damaged")
"""
    assert subprocess.run([sys.executable, "-c", failing], check=False, capture_output=True).returncode == 1
    code, printed = status(capsys)
    assert code == 1
    assert f"failed: digits n=10 T1-7_R8: the store is damaged\n  {LOG}" in printed


def test_the_last_line_of_a_traceback_is_the_reason() -> None:
    EXPERIMENT.unlink()
    LOG.write_text("")
    failing = f"""
from freeze_or_tune.system.job import logged
with logged({str(LOG)!r}):
    [][1]
"""
    subprocess.run([sys.executable, "-c", failing], check=False, capture_output=True)
    assert standing() == ("failed", "IndexError: list index out of range")


def test_what_failed_before_the_experiments_is_named_too(capsys: pytest.CaptureFixture[str]) -> None:
    log = Path("results/logs/store/digits-64.log")
    log.write_text("2026-01-01 00:00:00,000 ERROR the archive is damaged\n")
    assert failed_stages(read_study("study.yaml")) == [("the archive is damaged", log)]
    assert status(capsys)[0] == 1


def test_results_of_other_settings_are_outdated() -> None:
    study = Path("study.yaml")
    study.write_text(study.read_text().replace("seed: 3", "seed: 4"))
    assert standing()[0] == "outdated"


def test_a_study_that_is_not_there_is_a_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--configfile", "stduy.yaml"]) == 1
    assert "there is no study stduy.yaml; give a file, or one of those that ship:" in capsys.readouterr().err


def test_torch_is_not_imported() -> None:
    command = "import sys; from freeze_or_tune.__main__ import main; main(['status', '--configfile', 'study.yaml']); "
    asked = subprocess.run(
        [sys.executable, "-c", command + "sys.exit(bool({'torch', 'numpy', 'pandas'} & sys.modules.keys()))"],
        check=False,
    )
    assert asked.returncode == 0
