from threading import Thread, current_thread, main_thread

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.training.batches import Batches, data_order
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.images import Images
from freeze_or_tune.training.prefix import Prefix

from .small import images, network, preprocessing, streamed

CPU = torch.device("cpu")
ITERATIONS, BATCH = 70, 8  # 31 batches are computed at a time: twice, and the eight that are left


@pytest.mark.slow
@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**63 - 1))
def test_each_epoch_is_a_permutation(count: int, batch: int, iterations: int, seed: int) -> None:
    batches = list(data_order(count, batch, iterations, seed))
    assert [len(indices) for indices, _ in batches] == [batch] * iterations
    seen = torch.cat([indices for indices, _ in batches]).tolist()
    epochs = torch.cat([epochs for _, epochs in batches]).tolist()
    assert epochs == [place // count for place in range(batch * iterations)]
    for start in range(0, len(seen), count):
        epoch = seen[start : start + count]
        assert len(set(epoch)) == len(epoch)
        assert set(epoch) <= set(range(count))
    # The order depends on the seed alone: not on the batches it is cut into.
    alone = [indices.item() for indices, _ in data_order(count, 1, batch * iterations, seed)]
    assert seen == alone


def test_epochs_and_seeds_differ_in_their_order() -> None:
    orders = [tuple(i.tolist()) for seed in (0, 1) for i, _ in data_order(20, 20, 5, seed)]
    assert len(set(orders)) == 10
    assert tuple(range(20)) not in orders


def batches(frozen: int, views: int = 2, seed: int = 5) -> tuple[Batches, Layered]:
    """Of 24 images, for a network whose first blocks are frozen."""
    net = network()
    net.freeze(frozen)
    prefix = Prefix(network().eval(), net.prefix(frozen), preprocessing(), images(24), views, seed=3)
    return Batches(net.train(), prefix, BATCH, ITERATIONS, seed), net


@pytest.mark.parametrize(("frozen", "first"), [(0, 0), (2, 5), (3, 8)])
def test_batches_are_those_of_the_order(frozen: int, first: int) -> None:
    ours, _ = batches(frozen)
    assert ours.first == first
    prefix = ours.prefix
    for indices, epochs in data_order(24, BATCH, ITERATIONS, seed=5):
        inputs, labels = ours.next()
        assert torch.equal(labels, prefix.images.labels[indices])
        assert len(inputs) == BATCH
        assert not inputs.requires_grad
        if frozen:
            expected = prefix.batch(indices, epochs, torch.Generator())
            # What dropout has kept is twice as large.
            torch.testing.assert_close(inputs, torch.where(inputs != 0, 2 * expected, 0) if frozen == 3 else expected)


def test_frozen_dropout_is_drawn_anew_in_each_step() -> None:
    ours, _ = batches(frozen=3)
    dropped = torch.stack([ours.next()[0] == 0 for _ in range(62)])
    assert 0.5 < dropped.double().mean() < 0.9  # dropout's half, and what the ReLU makes zero
    assert len({part.numpy().tobytes() for part in dropped}) == len(dropped)


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [0, 2, 3])
@given(stops=st.sets(st.integers(1, ITERATIONS), min_size=1, max_size=3), draws=st.integers(0, 2))
@settings(deadline=None, max_examples=40)
def test_a_run_that_goes_on_has_the_same_batches(frozen: int, stops: set[int], draws: int) -> None:
    def steps(ours: Batches, count: int) -> list[bytes]:
        """Each with dropout of the layers that learn."""
        return [ours.next()[0].numpy().tobytes() + torch.rand(draws).numpy().tobytes() for _ in range(count)]

    whole = steps(batches(frozen)[0], ITERATIONS)
    ours, done, seen = batches(frozen)[0], 0, []
    for stop in sorted(stops):
        seen += steps(ours, stop - done)
        state, done = ours.state(), stop
        torch.rand(17)
        ours = batches(frozen)[0]
        ours.restore(done, state)
    assert seen + steps(ours, ITERATIONS - done) == whole


@pytest.mark.parametrize("frozen", [0, 3])
@pytest.mark.parametrize("done", [0, 31, 40])
def test_what_is_read_ahead_is_what_comes_next(frozen: int, done: int) -> None:
    def made(pictures: Images) -> Batches:
        net = network()
        net.freeze(frozen)
        prefix = Prefix(network().eval(), net.prefix(frozen), preprocessing(), pictures, 0, 3, Cache(CPU, 0))
        return Batches(net.train(), prefix, BATCH, ITERATIONS, seed=5)

    readers: list[Thread] = []
    ours, theirs = made(streamed(images(24), lambda *_: readers.append(current_thread()))), made(images(24))
    for _ in range(done):
        theirs.next()
    state = theirs.state()
    expected = [theirs.next()[0] for _ in range(ITERATIONS - done)]
    ours.restore(done, state)
    readers.clear()
    with ours.ahead(done):
        assert all(torch.equal(ours.next()[0], inputs) for inputs in expected)
    assert readers
    assert main_thread() not in readers


def test_other_seeds_have_other_batches() -> None:
    first, again, other = (batches(3, seed=seed)[0].next()[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
