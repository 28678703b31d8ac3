"""Jobs of one user on a machine whose GPUs nobody shares out: each takes one for itself."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

JOB = """
import logging, sys, torch
from types import SimpleNamespace
from freeze_or_tune.training import gpus
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
cards = sys.argv[1].split(",")
torch.cuda.device_count = lambda: len(cards)
torch.cuda.get_device_properties = lambda index: SimpleNamespace(uuid=cards[index])
torch.cuda.get_device_name = lambda index: "card " + cards[index]
torch.cuda.set_device = lambda index: None
gpus.choose_gpu(int(sys.argv[2]))
gpus.choose_gpu(int(sys.argv[2]))  # another stage of the same job
sys.stdout.flush()
sys.stdin.read()
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Start a job that sees these cards, and ends when its input does."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    jobs: list[subprocess.Popen[str]] = []

    def begin(cards: str, share: int = 1) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", "-c", JOB, cards, str(share)]
        jobs.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return jobs[-1]

    yield begin
    for job in jobs:
        job.kill()
        job.communicate()


def says(job: subprocess.Popen[str]) -> str:
    assert job.stdout is not None
    return job.stdout.readline().strip()


def test_each_job_takes_a_gpu_of_its_own_and_the_next_waits(start: Start) -> None:
    first = start("a,b")
    assert says(first) == "trains on GPU 0 (card a)"
    second = start("b,a")  # CUDA_VISIBLE_DEVICES may turn them round
    assert says(second) == "trains on GPU 0 (card b)"
    third = start("a,b")
    assert says(third) == "all 2 GPUs are taken by other jobs: waiting for one"
    second.kill()
    assert says(third) == "trains on GPU 1 (card b)"


def test_a_job_that_ends_leaves_nothing(start: Start, tmp_path: Path) -> None:
    job = start("a")
    assert says(job) == "trains on GPU 0 (card a)"
    assert len(list(tmp_path.iterdir())) == 1
    job.communicate()
    assert list(tmp_path.iterdir()) == []


def test_jobs_may_share_a_gpu_once_each_has_one(start: Start) -> None:
    jobs = []
    for card in ("a", "b", "a", "b"):
        jobs.append(start("a,b", 2))
        assert says(jobs[-1]).endswith(f"(card {card})")
    last = start("a,b", 2)
    assert says(last).startswith("all 2 GPUs are taken")
    jobs[1].kill()
    assert says(last) == "trains on GPU 1 (card b)"
