import subprocess
import sys
from pathlib import Path

import pytest

from freeze_or_tune.system.job_logs import failure


def run_job(body: str, log: Path) -> subprocess.CompletedProcess[str]:
    script = f"from freeze_or_tune.system.errors import UserError\nfrom freeze_or_tune.system.job import logged\n" \
             f"with logged({str(log)!r}):\n    {body}\n"  # fmt: skip
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_a_users_mistake_ends_with_its_message_alone(tmp_path: Path) -> None:
    done = run_job("raise UserError('digits has no n=7; type n10')", tmp_path / "log")
    assert done.returncode == 1
    assert done.stderr == "freeze-or-tune: digits has no n=7; type n10\n"
    assert "digits has no n=7; type n10" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("mistake", ["1 / 0", "raise MemoryError"])
def test_a_bug_leaves_its_traceback_in_the_log(mistake: str, tmp_path: Path) -> None:
    assert run_job(mistake, tmp_path / "log").returncode == 1
    assert "Traceback" in (tmp_path / "log").read_text()


def test_a_gpu_without_memory_is_said_in_words(tmp_path: Path) -> None:
    done = run_job("import torch; raise torch.OutOfMemoryError('CUDA out of memory')", tmp_path / "log")
    assert done.returncode == 1
    assert done.stderr.startswith("freeze-or-tune: the GPU has no memory left; lower the study's machine.memory_mb")
    assert done.stderr.count("\n") == 1
    log = tmp_path / "log"
    assert "CUDA out of memory" in log.read_text()
    assert failure(log).startswith("the GPU has no memory left; lower")


def test_of_other_packages_the_log_has_warnings_alone(tmp_path: Path) -> None:
    body = "import logging; other = logging.getLogger('other'); other.info('a table'); other.warning('no font')"
    assert run_job(body, tmp_path / "log").returncode == 0
    lines = [line.split(" ", 2)[2] for line in (tmp_path / "log").read_text().splitlines()]
    assert lines[:-1] == ["WARNING no font"]


def test_success_is_silent_and_leaves_a_log(tmp_path: Path) -> None:
    done = run_job("import logging; logging.getLogger('freeze_or_tune.stages').info('trained')", tmp_path / "log")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    trained, peak = (tmp_path / "log").read_text().splitlines()
    assert trained.endswith("INFO trained")
    # Of the job alone, which has imported nothing, whatever the process had that started it.
    assert 5 < float(peak.removesuffix(" MB").rsplit(" ", 1)[1]) < 100


def test_what_is_imported_is_not_looked_through_again(tmp_path: Path) -> None:
    done = run_job("import gc; print(gc.get_freeze_count() > len(gc.get_objects()))", tmp_path / "log")
    assert (done.returncode, done.stdout) == (0, "True\n")
