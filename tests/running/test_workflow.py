"""Real runs of the workflow through the front door: what is shown, what is said at the end, and what a stop leaves."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from freeze_or_tune.running.display import Display
from freeze_or_tune.running.workflow import Run, run_workflow, sentence
from freeze_or_tune.system.errors import UserError

from ..workflow.conftest import STUDY, draw_stripes

STORE = "results/stores/stripes-64.npy"
FRONT = [sys.executable, "-m", "freeze_or_tune"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small study that has not been run, in a folder with a name of its own, in which the tests are."""
    folder = tmp_path / "Daten für 2 Übungen"
    folder.mkdir()
    draw_stripes(folder / "my stripes")
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    monkeypatch.chdir(folder)
    return folder


def shown(run: Run) -> str:
    """What a run writes to a file that it is told to."""
    said = io.StringIO()
    run_workflow(run, Display(said))
    return said.getvalue()


@pytest.mark.parametrize(
    ("exception", "message", "words"),
    [
        (
            "InputFunctionException",
            'InputFunctionException in rule split in file "/x/datasets.smk", line 103:\nError:\n  UserError: no '
            "such target\nWildcards:\n  target=digit\nTraceback:\n  File ...",
            "no such target",
        ),
        (
            "WorkflowError",
            'WorkflowError in file "/x/common.smk", line 30:\nthe study\'s config is not valid:\n  seed: no\n'
            '  File "/x/common.smk", line 30, in <module>',
            "the study's config is not valid:\n  seed: no",
        ),
        (
            "MissingRuleException",
            "MissingRuleException:\nNo rule to produce x (if you use input functions make sure that they don't raise "
            "unexpected exceptions).",
            "No rule to produce x.",
        ),
        ("LockException", "LockException:\nError: Directory cannot be locked.", "freeze-or-tune run --unlock"),
        ("OSError", "something else", "something else"),
    ],
)
def test_a_person_reads_what_was_wrong_and_no_more(exception: str, message: str, words: str) -> None:
    assert sentence(exception, message, Path()).endswith(words)
    assert "Traceback" not in sentence(exception, message, Path())


def test_the_command_line_is_quoted_for_snakemake(tmp_path: Path) -> None:
    run = Run(["-f"], tmp_path, config={"images": 'my: "1"', "budget": 3.0}, options=["--force"])
    words = run.command()
    assert words[words.index("--config") + 1 :][:2] == ['images="my: \\"1\\""', "budget=3.0"]
    assert words[-2:] == ["--", "-f"]  # what looks like an option is a target
    assert "--configfile" not in words


@pytest.mark.slow
def test_each_stage_is_a_line_and_nothing_else_is_shown(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = shown(Run([STORE], cores=1)).splitlines()
    assert [line[:26].rstrip() for line in lines] == ["listing the images", "reading the images"]
    assert capfd.readouterr() == ("", "")
    assert (folder / STORE).exists()
    assert shown(Run([STORE], cores=1)) == ""  # all is there
    assert "Nothing to be done" in (folder / ".snakemake/log/freeze-or-tune.log").read_text()


@pytest.mark.slow
def test_a_plan_counts_jobs_and_makes_nothing(folder: Path) -> None:
    planned = subprocess.run([*FRONT, "run", "--dry-run"], capture_output=True, text=True, check=True)
    assert [line.split()[-1] for line in planned.stdout.splitlines() if line.startswith("experiments ")] == ["6"]
    assert planned.stderr == ""
    assert {path.name for path in folder.iterdir()} == {".snakemake", "config", "my stripes"}


@pytest.mark.slow
def test_a_failed_job_is_its_sentence_and_its_log(folder: Path) -> None:
    for path in (folder / "my stripes").rglob("*.png"):
        path.unlink()
    with pytest.raises(UserError) as raised:
        run_workflow(Run([STORE]), Display(io.StringIO()))
    assert str(raised.value) == (
        "my stripes holds no images; it needs one folder of images a class\n  log: results/logs/index/stripes.log"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("results/splits/digit/n2.csv", "'digit' is not a target of this study; its targets are "),
        ("results/nothing.xyz", "No rule to produce results/nothing.xyz"),
    ],
)
def test_a_target_that_there_is_not(target: str, said: str, folder: Path) -> None:
    ended = subprocess.run([*FRONT, "run", target], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: {said}")
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def a_running(rule: str, folder: Path, *words: str) -> "subprocess.Popen[str]":
    """A run of the front door in which a job of that rule has begun."""
    process = subprocess.Popen([*FRONT, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 120
    log = folder / ".snakemake/log/freeze-or-tune.log"
    while not (log.exists() and f"rule {rule}:" in log.read_text()):
        assert time.monotonic() < end, process.communicate()[0]
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.2)
    return process


@pytest.mark.slow
def test_a_stop_leaves_nothing_running_and_the_same_command_goes_on(folder: Path) -> None:
    study = STUDY | {"sources": {"stripes-net": STUDY["sources"]["stripes-net"] | {"pretraining": LONG}}}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    network = "results/networks/stripes-net.safetensors"
    process = a_running("pretrain", folder, "run", network)
    time.sleep(5)  # into the training
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopped: the same command goes on from there" in said
    assert "Traceback" not in said
    assert not _running_in(folder)
    assert not (folder / network).exists()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    assert subprocess.run([*FRONT, "run", network], check=False).returncode == 0  # the folder is not locked
    assert (folder / network).exists()


LONG = STUDY["sources"]["stripes-net"]["pretraining"] | {
    "solver": {"batch": 8, "epochs": 100000, "max_iterations": 1000000, "mirror": False}
}


def _running_in(folder: Path) -> list[str]:
    """Command lines of processes that are at work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder and process.name != str(os.getpid()):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it has ended meanwhile
    return found


@pytest.mark.slow
def test_a_killed_run_leaves_a_lock_that_can_be_removed(folder: Path) -> None:
    process = a_running("index", folder, "run", STORE)
    os.killpg(int(next(iter(_snakemakes(process.pid)))), signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == 1
    again = subprocess.run([*FRONT, "run", STORE], capture_output=True, text=True, check=False)
    assert "freeze-or-tune run --unlock" in again.stderr
    assert subprocess.run([*FRONT, "run", "--unlock"], check=False).returncode == 0
    assert subprocess.run([*FRONT, "run", STORE], check=False).returncode == 0


def _snakemakes(parent: int) -> list[str]:
    return Path(f"/proc/{parent}/task/{parent}/children").read_text().split()


@pytest.mark.slow
def test_a_study_that_is_begun_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert subprocess.run([*FRONT, "init", "mine"], check=False).returncode == 0
    again = subprocess.run([*FRONT, "init", "mine"], capture_output=True, text=True, check=False)
    assert (again.returncode, "is there already; nothing was written" in again.stderr) == (1, True)
    random = np.random.default_rng(0)
    for name, level in (("dark", 60), ("light", 180)):
        (tmp_path / "mine/photos" / name).mkdir(parents=True)
        for i in range(25):
            pixels = random.integers(level - 50, level + 50, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"mine/photos/{name}/{i}.png")
    monkeypatch.chdir(tmp_path / "mine")
    planned = subprocess.run(
        ["snakemake", "--dry-run", "--quiet", "rules"], capture_output=True, text=True, check=False
    )
    assert re.search(r"^experiment +8$", planned.stdout, re.MULTILINE), planned.stdout + planned.stderr
    assert subprocess.run([*FRONT, "run", "results/splits/photos/n10.csv"], check=False).returncode == 0
    assert len(Path("results/splits/photos/n10.csv").read_text().splitlines()) == 1 + 2 * (10 + 5 + 10)
