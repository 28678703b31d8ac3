"""Training that is killed with -9 and run again, and two processes that work on one result."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PRETRAIN = """
import sys
from pathlib import Path
from freeze_or_tune.stages.experiment import pretrain
from freeze_or_tune.system.job import logged
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.study.reading import read_study

study, out, log = map(Path, sys.argv[1:4])
settings = read_study(study / "study.yaml").pretraining("stripes-net")
longer = settings.solver.model_copy(update={"min_iterations": 300, "max_iterations": 300})
with logged(log):
    pretrain(
        settings.model_copy(update={"solver": longer, "runs": 2}),
        study / "results/stores/stripes-64.npy", study / "results/splits/stripes-net/n17.csv",
        out / "net.safetensors", out / "net.json",
        Machine(device="cpu", checkpoint_seconds=float(sys.argv[4]), memory_mb=float(sys.argv[5])), 1,
    )
"""


def start(
    study: Path, out: Path, log: str = "log", seconds: float = 0.05, memory: float = 1000
) -> subprocess.Popen[bytes]:
    out.mkdir(exist_ok=True)
    return subprocess.Popen([sys.executable, "-c", PRETRAIN, study, out, out / log, str(seconds), str(memory)])


def wait_for_checkpoint(out: Path, process: subprocess.Popen[bytes]) -> None:
    """Until a new one is there, or the process has ended."""
    before = {path.name for path in out.glob(".net.checkpoints/*/*.pt")}
    while process.poll() is None and {path.name for path in out.glob(".net.checkpoints/*/*.pt")} <= before:
        time.sleep(0.002)


def outcome(out: Path) -> tuple[bytes, list[dict[str, object]]]:
    """The weights' bytes, and the runs without what they cost."""
    runs = json.loads((out / "net.json").read_text())["runs"]
    return (out / "net.safetensors").read_bytes(), [
        {key: value for key, value in run.items() if key != "performance"} for run in runs
    ]


@pytest.fixture(scope="module")
def undisturbed(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    assert start(finished, out, seconds=1e9).wait() == 0
    return out


def test_killed_at_random_moments_and_resumed_it_ends_bit_identical(
    finished: Path, undisturbed: Path, tmp_path: Path
) -> None:
    moments = random.Random(0)
    kills = 0
    for _ in range(50):
        # Now with all images in memory, now read from the store: that plays no part either.
        process = start(finished, tmp_path, seconds=0.02, memory=1000 * (kills % 2))
        if kills < 5:
            wait_for_checkpoint(tmp_path, process)
            time.sleep(moments.uniform(0, 0.15))
            process.kill()
        if process.wait() == 0:
            break
        kills += 1
    assert kills >= 3
    assert "going on from iteration" in (tmp_path / "log").read_text()
    assert outcome(tmp_path) == outcome(undisturbed)
    assert {path.name for path in tmp_path.iterdir()} == {"net.json", "net.safetensors", "log"}


def test_a_polite_signal_saves_first_and_exits_with_an_error(finished: Path, undisturbed: Path, tmp_path: Path) -> None:
    process = start(finished, tmp_path, seconds=0.05)
    wait_for_checkpoint(tmp_path, process)
    process.send_signal(signal.SIGUSR1)
    assert process.wait() == 1
    assert "stopped by SIGUSR1 at iteration" in (tmp_path / "log").read_text()
    assert not (tmp_path / "net.json").exists()
    assert start(finished, tmp_path).wait() == 0
    assert outcome(tmp_path) == outcome(undisturbed)


def test_of_two_processes_one_works_and_the_other_takes_its_result(
    finished: Path, undisturbed: Path, tmp_path: Path
) -> None:
    first = start(finished, tmp_path, "first.log", seconds=0.02)
    wait_for_checkpoint(tmp_path, first)
    second = start(finished, tmp_path, "second.log")
    assert (first.wait(), second.wait()) == (0, 0)
    assert "waiting for it" in (tmp_path / "second.log").read_text()
    assert "iteration 300/300" not in (tmp_path / "second.log").read_text()
    assert outcome(tmp_path) == outcome(undisturbed)


def test_the_one_that_waits_goes_on_when_the_other_is_killed(finished: Path, undisturbed: Path, tmp_path: Path) -> None:
    first = start(finished, tmp_path, "first.log", seconds=0.02)
    wait_for_checkpoint(tmp_path, first)
    first.send_signal(signal.SIGSTOP)  # so that it cannot be done before the other waits
    second = start(finished, tmp_path, "second.log")
    while not (tmp_path / "second.log").exists() or "waiting" not in (tmp_path / "second.log").read_text():
        assert second.poll() is None
        time.sleep(0.01)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert second.wait() == 0
    assert "going on from iteration" in (tmp_path / "second.log").read_text()
    assert outcome(tmp_path) == outcome(undisturbed)
