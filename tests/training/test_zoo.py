"""Training timm's networks: what batch norm, stochastic depth and stages add to what CaffeNet's tests say."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.training import loop
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.checkpoint import Checkpoints
from freeze_or_tune.training.images import Images
from freeze_or_tune.training.learners import Replicas
from freeze_or_tune.training.loop import Training, train
from freeze_or_tune.training.prefix import Prefix

from ..networks.zoo import FAMILIES, small, stirred

CLASSES = 3
SOLVER = Solver(
    batch=4, min_iterations=4, max_iterations=4, evaluations=2, views=2, learning_rate=1e-3, drops=(), copied_rate=1
)
TINY = "test_resnet"


def images(count: int, size: int) -> Images:
    generator = torch.Generator().manual_seed(count)
    pixels = torch.randint(256, (count, size, size, 3), generator=generator, dtype=torch.uint8)
    return Images(pixels, torch.arange(count) % CLASSES)


def run(
    name: str, crop: int, scheme: Scheme, solver: Solver = SOLVER, checkpoints: Checkpoints | None = None,
    **options: float,
) -> tuple[Training, Layered]:  # fmt: skip
    """Train for four steps on nine images; the network starts stirred, so that nothing is zero."""
    settings = small(name, crop, blocks=scheme.blocks, **options)
    network = stirred(settings, CLASSES)
    frozen = deepcopy(network).eval()
    preprocessing = Preprocessing(torch.full((crop + 4, crop + 4, 3), 128.0), crop, 1 / 64)
    prefix = Prefix(frozen, frozen.prefix(scheme.frozen), preprocessing, images(9, crop + 4), solver.views, seed=3)
    learners, val = Replicas([network], scheme, solver), prefix.held_out(images(6, crop + 4))
    trained = train(learners, scheme, solver, prefix, val, 0, checkpoints)
    trained.leave(network)
    return trained, network


def start(name: str, crop: int, blocks: int) -> dict[str, Tensor]:
    return stirred(small(name, crop, blocks=blocks), CLASSES).state_dict()


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "crop", "blocks"), FAMILIES, ids=[name for name, _, _ in FAMILIES])
def test_frozen_blocks_do_not_move_by_a_bit_and_all_others_do(name: str, crop: int, blocks: int) -> None:
    copied = blocks - 1 if blocks == 8 else blocks - 2  # AlexNet's and VGG's fc7 alone has 17 million weights
    before = start(name, crop, blocks)
    _, network = run(name, crop, Scheme(blocks, copied, copied))
    for key, value in network.state_dict().items():
        still = network.block_of[key.split(".")[0]] <= copied
        # A matrix or a statistic that did not move was not trained; a bias may have no say (before a norm).
        assert not still or torch.equal(value, before[key]), key
        assert still or value.ndim == 1 or not torch.equal(value, before[key]), key


@pytest.mark.slow
@pytest.mark.parametrize(("name", "crop", "blocks"), FAMILIES, ids=[name for name, _, _ in FAMILIES])
def test_between_frozen_and_random_blocks_there_are_tuned_ones(name: str, crop: int, blocks: int) -> None:
    copied = blocks - 1 if blocks == 8 else blocks - 2
    before = start(name, crop, blocks)
    trained, network = run(name, crop, Scheme(blocks, copied, copied - 1))
    for key, value in network.state_dict().items():
        still = network.block_of[key.split(".")[0]] < copied
        assert not still or torch.equal(value, before[key]), key
        assert still or value.ndim == 1 or not torch.equal(value, before[key]), key
    assert trained.candidates[0].best_iteration > 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "crop", "blocks"), FAMILIES[2:], ids=[name for name, _, _ in FAMILIES[2:]])
def test_in_variant_b_no_matrix_of_a_copied_block_moves(name: str, crop: int, blocks: int) -> None:
    """timm's own layers are not asked what they are: what moved is told by its shape and its name."""
    before = start(name, crop, blocks)
    _, network = run(name, crop, Scheme(blocks, blocks - 2, 1, "b"))
    moved = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    copied = {key for key in moved if network.block_of[key.split(".")[0]] <= blocks - 2}
    assert copied
    assert all(before[key].ndim <= 1 for key in copied)  # statistics of batch norms among them
    assert {network.block_of[key.split(".")[0]] for key in moved} == set(range(2, blocks + 1))
    assert not any("gamma" in key or "pos_embed" in key or "cls_token" in key for key in copied)


def test_in_variant_n_batch_norms_of_tuned_blocks_keep_their_statistics() -> None:
    before = start(TINY, 32, 6)
    _, network = run(TINY, 32, Scheme(6, 3, 0, "n"))
    for key, value in network.state_dict().items():
        statistic = any(word in key for word in ("running", "tracked"))
        still = statistic and network.block_of[key.split(".")[0]] <= 3
        assert torch.equal(value, before[key]) == still, key


def test_with_its_statistics_kept_a_network_that_does_not_learn_is_a_frozen_one() -> None:
    solver = SOLVER.model_copy(update={"copied_rate": 0.0})
    mixed, by_mixed = run(TINY, 32, Scheme(6, 5, 2, "n"), solver)
    wholly, by_wholly = run(TINY, 32, Scheme(6, 5, 5), solver)
    assert [one.val_accuracy for one in mixed.candidates] == [one.val_accuracy for one in wholly.candidates]
    for key, value in by_wholly.state_dict().items():
        torch.testing.assert_close(by_mixed.state_dict()[key], value, rtol=1e-4, atol=1e-5)


def test_tuned_blocks_move_with_the_statistics_of_their_batch_norms() -> None:
    before = start(TINY, 32, 6)
    _, network = run(TINY, 32, Scheme(6, 3))
    assert [key for key, value in network.state_dict().items() if torch.equal(value, before[key])] == []
    assert network.bn1.num_batches_tracked > before["bn1.num_batches_tracked"]


@pytest.mark.parametrize("copied", [1, 3, 5])
def test_a_cached_prefix_is_what_the_training_network_computes(copied: int) -> None:
    network = stirred(small(TINY, 32, blocks=6), CLASSES)
    frozen = deepcopy(network).eval()
    network.freeze(copied)
    network.train()
    cut = network.prefix(copied)
    preprocessing = Preprocessing(torch.full((36, 36, 3), 128.0), 32, 1 / 64)
    prefix = Prefix(frozen, cut, preprocessing, images(9, 36), 1, seed=3)
    seen: list[Tensor] = []
    real = preprocessing.views
    object.__setattr__(preprocessing, "views", lambda *given: seen.append(real(*given)) or seen[-1])
    cached = prefix.batch(torch.arange(9), torch.zeros(9, dtype=torch.int64), torch.Generator())
    with torch.no_grad():
        torch.testing.assert_close(network(seen[0], stop=cut), cached, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(network(cached, start=cut).shape, torch.Size([9, CLASSES]))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["T1-4_R5-6", "F1-3_R4-6"])
@pytest.mark.parametrize("options", [{}, {"dropout": 0.4, "drop_path": 0.3}], ids=["plain", "random"])
def test_a_run_that_was_killed_ends_with_the_same_bits(
    scheme: str, options: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solver = SOLVER.model_copy(update={"min_iterations": 8, "max_iterations": 8, "evaluations": 4})

    def trained(folder: str) -> tuple[Training, dict[str, Tensor]]:
        result, network = run(TINY, 32, Scheme.parse(scheme), solver, Checkpoints(tmp_path / folder, 1e-9), **options)
        return result, network.state_dict()

    whole = trained("whole")
    real = loop.Optimiser.step

    def die(self: loop.Optimiser, iteration: int, gradients: dict[str, Tensor]) -> None:
        if iteration == 5:
            raise KeyboardInterrupt
        real(self, iteration, gradients)

    monkeypatch.setattr(loop.Optimiser, "step", die)
    with pytest.raises(KeyboardInterrupt):
        trained("killed")
    monkeypatch.setattr(loop.Optimiser, "step", real)
    again = trained("killed")
    assert again[0] == whole[0]
    assert same(again[1], whole[1])


def test_the_best_iterations_statistics_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([(0.9, 0.1), (0.1, 9.0)])
    states: list[dict[str, Tensor]] = []

    real = Replicas.logits

    def looked(self: Replicas, *arguments: Any) -> Tensor:
        states.append({key: value.clone() for key, value in self.network.state_dict().items()})
        return real(self, *arguments)

    monkeypatch.setattr(Replicas, "logits", looked)
    monkeypatch.setattr(loop, "measures", lambda logits, labels: next(looks))
    _, network = run(TINY, 32, Scheme(6, 3))
    assert not torch.equal(states[0]["bn1.running_mean"], states[1]["bn1.running_mean"])
    assert same(network.state_dict(), states[0])
