import os
import signal
import time
from pathlib import Path

import pytest
import torch

from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.training import loop
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.checkpoint import Checkpoints, Saving, Stopped, only_process, remove_checkpoints
from freeze_or_tune.training.loop import Training, train
from freeze_or_tune.training.prefix import Prefix

from .small import alone, images, network, preprocessing

SOLVER = Solver(batch=8, epochs=4, min_iterations=12, max_iterations=12, evaluations=4, views=2, drops=(0.5,))
SCHEMES = ["F1-2_R3-4", "T1-2_R3-4", "R1-4"]
NEVER, ALWAYS = 1e9, 0


def run(scheme: str, checkpoints: Checkpoints | None, budget: float = 1e9) -> tuple[Training, dict[str, torch.Tensor]]:
    parsed, net = Scheme.parse(scheme), network()
    frozen = network().eval()
    cache = Cache(torch.device("cpu"), budget)
    prefix = Prefix(frozen, frozen.prefix(parsed.frozen), preprocessing(), images(20), SOLVER.views, 3, cache)
    learners, val = alone(net, parsed, SOLVER), prefix.held_out(images(30, seed=9))
    trained = train(learners, parsed, SOLVER, prefix, val, seed=5, checkpoints=checkpoints)
    trained.leave(net)
    return trained, net.state_dict()


def assert_same(
    ours: tuple[Training, dict[str, torch.Tensor]], theirs: tuple[Training, dict[str, torch.Tensor]]
) -> None:
    assert ours[0] == theirs[0]
    assert all(torch.equal(ours[1][name], theirs[1][name]) for name in theirs[1])


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch):
    """Send this process signals while it takes a given step."""

    def stop(iteration: int, *numbers: signal.Signals) -> None:
        real = loop.Optimiser.step

        def step(self: loop.Optimiser, at: int, gradients: dict[str, torch.Tensor]) -> None:
            real(self, at, gradients)
            if at == iteration:
                for number in numbers:
                    os.kill(os.getpid(), number)

        monkeypatch.setattr(loop.Optimiser, "step", step)

    return stop


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("iteration", range(12))
def test_a_stopped_run_ends_as_if_it_had_not_been(scheme: str, iteration: int, stop_after, tmp_path: Path) -> None:
    whole = run(scheme, None)
    stop_after(iteration, signal.SIGTERM)
    with pytest.raises(Stopped, match=f"stopped by SIGTERM at iteration {iteration + 1};"):
        run(scheme, Checkpoints(tmp_path, NEVER))
    torch.rand(3)  # another process has another past
    stop_after(-1)
    # Activations that were in memory are in a file now.
    assert_same(run(scheme, Checkpoints(tmp_path, NEVER), budget=0), whole)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGINT])
def test_other_signals_stop_a_run_too_and_handlers_are_put_back(number, stop_after, tmp_path: Path) -> None:
    before = signal.getsignal(number)
    stop_after(3, number)
    with pytest.raises(Stopped, match=number.name):
        run("R1-4", Checkpoints(tmp_path, NEVER))
    assert signal.getsignal(number) == before


def test_a_signal_that_comes_again_does_not_keep_the_state_from_being_saved(stop_after, tmp_path: Path) -> None:
    """SLURM sends SIGTERM twice at a time limit: from the node and from the step's srun."""
    stop_after(3, signal.SIGTERM, signal.SIGTERM, signal.SIGINT)
    with pytest.raises(Stopped, match="SIGINT at iteration 4;"):
        run("R1-4", Checkpoints(tmp_path, NEVER))
    state = Checkpoints(tmp_path, NEVER).load()
    assert state is not None
    assert state["iteration"] == 4


def test_a_second_ctrl_c_ends_the_run_at_once(stop_after, tmp_path: Path) -> None:
    stop_after(3, signal.SIGINT, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run("R1-4", Checkpoints(tmp_path, NEVER))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_saving_changes_nothing(scheme: str, tmp_path: Path) -> None:
    assert_same(run(scheme, Checkpoints(tmp_path, ALWAYS)), run(scheme, None))


def test_a_finished_run_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("R1-4", Checkpoints(tmp_path, ALWAYS))
    monkeypatch.setattr(loop.Optimiser, "step", lambda self, iteration, gradients: pytest.fail("trained again"))
    assert_same(run("R1-4", Checkpoints(tmp_path, ALWAYS)), whole)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    run("R1-4", Checkpoints(tmp_path, ALWAYS))
    assert [path.name[:9] for path in sorted(tmp_path.iterdir())] == ["000000011", "000000012"]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "renamed"])
def test_a_damaged_checkpoint_is_removed_with_a_warning(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = run("F1-2_R3-4", Checkpoints(tmp_path, ALWAYS))
    newest = max(tmp_path.iterdir())
    content = bytearray(newest.read_bytes())
    if damage == "renamed":
        newest.rename(newest.with_name("000000012.pt"))
    else:
        content[len(content) // 2] ^= 1
        newest.write_bytes({"truncated": content[: len(content) // 2], "flipped": content, "empty": b""}[damage])
    state = Checkpoints(tmp_path, ALWAYS).load()
    assert state is not None
    assert state["iteration"] == 11
    assert "removed the damaged checkpoint" in caplog.text
    assert [path.name[:9] for path in tmp_path.iterdir()] == ["000000011"]
    assert_same(run("F1-2_R3-4", Checkpoints(tmp_path, ALWAYS)), whole)


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("alloc")])
def test_want_of_memory_is_no_damage(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("R1-4", Checkpoints(tmp_path, ALWAYS))
    before = sorted(tmp_path.iterdir())

    def load(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(type(error)):
        run("R1-4", Checkpoints(tmp_path, ALWAYS))
    assert sorted(tmp_path.iterdir()) == before


def test_the_states_that_were_saved_last_are_kept_and_gone_on_from(tmp_path: Path) -> None:
    """Not those of the highest iterations: a run that had to begin anew has passed none of them yet."""
    checkpoints = Checkpoints(tmp_path, ALWAYS)
    for iteration in (50, 60, 1, 2):
        checkpoints.save({"iteration": iteration})
        time.sleep(0.02)  # more than the clock of any file system is wide
    assert {path.name[:9] for path in tmp_path.iterdir()} == {"000000001", "000000002"}
    assert checkpoints.load() == {"iteration": 2}


def test_a_state_is_read_into_host_memory(tmp_path: Path) -> None:
    """Whichever device has saved it: this machine may have no such."""
    checkpoints = Checkpoints(tmp_path, ALWAYS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda _: "cuda:0")
        checkpoints.save({"iteration": 2, "values": torch.ones(3)})
    state = checkpoints.load()
    assert state is not None
    assert state["values"].device == torch.device("cpu")


def test_without_a_checkpoint_a_run_begins(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "nothing", ALWAYS).load() is None


def test_the_folder_is_keyed_and_removed_with_the_result(tmp_path: Path) -> None:
    result = tmp_path / "T1-7_R8.json"
    for key in ("old", "new"):
        Saving(result, key, ALWAYS).of_run(0).save({"iteration": 1, "key": key})
    assert Saving(result, "old", ALWAYS).of_run(0).load() == {"iteration": 1, "key": "old"}
    assert Saving(result, "other", ALWAYS).of_run(0).load() is None
    assert Saving(result, "old", ALWAYS).of_run(1).load() is None
    remove_checkpoints(result)
    assert list(tmp_path.iterdir()) == []


def test_who_comes_first_does_not_wait(tmp_path: Path) -> None:
    for _ in range(2):
        with only_process(tmp_path / "result.json") as waited:
            assert not waited
