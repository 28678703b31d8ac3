"""Reading ahead moves bytes: the same parts, the same runs, and no thread that is left."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Semaphore, Thread, current_thread, main_thread

import pytest
import torch
from torch import Tensor

from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training import loop
from freeze_or_tune.training.ahead import AHEAD, Ahead
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.checkpoint import Checkpoints, Stopped
from freeze_or_tune.training.images import Images
from freeze_or_tune.training.loop import Training, train
from freeze_or_tune.training.prefix import Prefix

from .small import alone, images, network, preprocessing, streamed

PARTS = torch.arange(30).split(2)
SOLVER = Solver(batch=8, epochs=4, min_iterations=12, max_iterations=12, evaluations=4, drops=(0.5,))
NEVER = 1e9


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert [one for one in threading.enumerate() if one.name.startswith("ahead")] == []


def tenfold(indices: Tensor) -> Tensor:
    assert current_thread() is not main_thread()
    return indices * 10


def test_parts_are_read_before_they_are_asked_for_but_not_long_before() -> None:
    done, known = Semaphore(0), []

    def read(indices: Tensor) -> Tensor:
        done.release()
        return tenfold(indices)

    with Ahead(read, (known.append(part) or part for part in PARTS)) as ahead:
        assert known == []
        assert torch.equal(ahead.take(PARTS[0]), PARTS[0] * 10)
        assert all(done.acquire(timeout=60) for _ in range(1 + AHEAD))  # while nobody asks
        assert len(known) == 1 + AHEAD
        for part in PARTS[1:]:
            assert torch.equal(ahead.take(part), part * 10)
    assert len(known) == len(PARTS)


def test_what_is_asked_for_decides_and_not_the_order() -> None:
    with Ahead(lambda indices: indices * 10, PARTS) as ahead:
        for indices in (PARTS[3], torch.tensor([7, 1, 7]), PARTS[0], PARTS[9], PARTS[-1], torch.tensor([2])):
            assert torch.equal(ahead.take(indices), indices * 10)


def test_an_error_is_raised_where_its_part_is_asked_for() -> None:
    def read(indices: Tensor) -> Tensor:
        if 4 in indices:
            raise UserError("the disk is gone")
        return tenfold(indices)

    with Ahead(read, PARTS) as ahead:
        for part in PARTS[:2]:
            ahead.take(part)
        with pytest.raises(UserError, match="the disk is gone"):
            ahead.take(PARTS[2])
        assert torch.equal(ahead.take(PARTS[3]), PARTS[3] * 10)


CASES = [
    ("R1-4", 2, True),  # images anew in each step
    ("F1-2_R3-4", 2, True),  # once for each view
    ("F1-2_R3-4", 3, False),  # anew, for crops that are kept: there is no room for more
    ("F1-3_R4", 0, True),  # anew, for several steps at once
]
"""Scheme, views, and whether what has no room in memory goes to a file."""


def run(
    case: tuple[str, int, bool], train_images: Images, val: Images, checkpoints: Checkpoints | None = None
) -> tuple[Training, dict[str, Tensor]]:
    (name, views, files), net, frozen = case, network(), network().eval()
    scheme, cache = Scheme.parse(name), Cache(torch.device("cpu"), 0, files=files)
    prefix = Prefix(frozen, frozen.prefix(scheme.frozen), preprocessing(), train_images, views, 3, cache)
    trained = train(alone(net, scheme, SOLVER), scheme, SOLVER, prefix, prefix.held_out(val), 5, checkpoints)
    trained.leave(net)
    return trained, net.state_dict()


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Send this process a signal while it takes a given step."""
    real = loop.Optimiser.step

    def stop(iteration: int) -> None:
        def step(self: loop.Optimiser, at: int, gradients: dict[str, Tensor]) -> None:
            real(self, at, gradients)
            if at == iteration:
                os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(loop.Optimiser, "step", step)

    return stop


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_run_is_the_same_bit_for_bit_also_one_that_goes_on(
    case: tuple[str, int, bool], stop_after: Callable[[int], None], tmp_path: Path
) -> None:
    pictures, val = images(20), images(300, seed=9)
    expected, learnt = run(case, pictures, val)
    stop_after(4)
    with pytest.raises(Stopped):
        run(case, streamed(pictures), streamed(val), Checkpoints(tmp_path, NEVER))
    stop_after(-1)
    for checkpoints in (None, Checkpoints(tmp_path, NEVER)):
        trained, parameters = run(case, streamed(pictures), streamed(val), checkpoints)
        assert trained == expected
        assert all(torch.equal(parameters[name], value) for name, value in learnt.items())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_step_reads_what_it_asks_for_itself(case: tuple[str, int, bool]) -> None:
    readers: list[Thread] = []
    pictures, val = (
        streamed(one, lambda *_: readers.append(current_thread())) for one in (images(20), images(300, seed=9))
    )
    run(case, pictures, val)
    assert readers
    assert main_thread() not in readers


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_run_that_cannot_read_ends_with_words(case: tuple[str, int, bool]) -> None:
    def fails(*_: object) -> None:
        raise UserError("the disk is gone")

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(UserError, match="the disk is gone"):
        run(case, streamed(images(600), fails), images(30, seed=9), Checkpoints(Path("nowhere"), NEVER))
    assert signal.getsignal(signal.SIGTERM) == before
