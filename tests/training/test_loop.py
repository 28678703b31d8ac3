from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from torch import Tensor

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Candidate, FrozenGrid, Method, Search, Solver, TunedGrid
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training import loop
from freeze_or_tune.training.batches import data_order
from freeze_or_tune.training.images import Images
from freeze_or_tune.training.learners import Replicas, learners
from freeze_or_tune.training.loop import Trained, Training, class_accuracies, measures, train
from freeze_or_tune.training.prefix import HeldOut, Prefix

from .small import alone, images, network, preprocessing

SOLVER = Solver(batch=8, epochs=4, min_iterations=1, max_iterations=400, evaluations=4, views=2, learning_rate=0.05)
VAL = images(30, seed=9)
GPU = torch.device("cuda")


def run(
    scheme: str = "F1-2_R3-4", solver: Solver = SOLVER, seed: int = 0, noise: float = 20
) -> tuple[Trained, Layered, HeldOut]:
    """Train on 24 images; the start is the same for all seeds, so that only the training differs."""
    parsed, net = Scheme.parse(scheme), network()
    frozen = network().eval()
    prefix = Prefix(
        frozen, frozen.prefix(parsed.frozen), preprocessing(), images(24, noise=noise), solver.views, seed=3
    )
    held_out = prefix.held_out(VAL)
    trained = train(alone(net, parsed, solver), parsed, solver, prefix, held_out, seed)
    trained.leave(net)
    return trained.candidates[0], net, held_out


@pytest.mark.parametrize(
    ("scheme", "still"),
    [("F1-2_R3-4", 2), ("F1-3_R4", 3), ("F1-2_T3_R4", 2), ("F1_T2-3_R4", 1), ("T1-2_R3-4", 0), ("R1-4", 0)],
)
def test_frozen_blocks_stay_and_all_others_move(scheme: str, still: int) -> None:
    before = network().state_dict()
    _, net, _ = run(scheme)
    for name, parameter in net.named_parameters():
        moved = parameter.detach().numpy().tobytes() != before[name].numpy().tobytes()
        assert moved == (net.block_of[name.split(".")[0]] > still), name


def bits(net: Layered) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in net.state_dict().items()}


@pytest.mark.parametrize("method", ["sgd", "adamw"])
@pytest.mark.parametrize("frozen", [1, 2])
def test_tuned_blocks_that_do_not_learn_are_frozen_ones(
    frozen: int, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit, where no number is drawn behind the cached part: dropout there is drawn for several steps at once."""
    monkeypatch.setattr("tests.training.test_loop.network", partial(network, dropout=0))
    solver = SOLVER.model_copy(update={"method": method, "copied_rate": 0.0, "learning_rate": 0.01})
    mixed, by_mixed, _ = run(str(Scheme(4, 3, frozen)), solver)
    wholly, by_wholly, _ = run("F1-3_R4", solver)
    assert [point.val_accuracy for point in mixed.curve] == [point.val_accuracy for point in wholly.curve]
    assert bits(by_mixed) == bits(by_wholly)


def test_biases_alone_learn_in_variant_b() -> None:
    before = bits(network())
    _, net, _ = run("F1_T2-3_R4b")
    moved = {name for name, value in bits(net).items() if value != before[name]}
    assert moved == {"conv2.bias", "fc3.bias", "fc4.weight", "fc4.bias"}


def test_it_learns_what_is_easy() -> None:
    for scheme in ("F1-2_R3-4", "T1-3_R4"):
        trained, net, held_out = run(scheme, SOLVER.model_copy(update={"epochs": 40}))
        assert trained.val_accuracy == 1, scheme
        assert class_accuracies(held_out.predictions(net).argmax(1) == held_out.labels, held_out.labels) == (1, 1), (
            scheme
        )
        assert trained.curve[0].loss > 2 * trained.curve[-1].loss, scheme


@pytest.mark.slow
def test_the_network_is_left_at_its_best_iteration() -> None:
    # Noisy images and a large rate: accuracy goes up and down.
    solver = SOLVER.model_copy(update={"learning_rate": 0.2, "epochs": 12, "evaluations": 12, "drops": ()})
    inner = 0
    for seed in range(3):
        trained, net, _ = run("R1-4", solver, seed, noise=80)
        best = max(point.val_accuracy for point in trained.curve)
        assert trained.val_accuracy == best
        assert best == {p.iteration: p.val_accuracy for p in trained.curve}[trained.best_iteration]
        net.eval()
        with torch.no_grad():
            predicted = net(preprocessing().centre_views(VAL.pixels)).argmax(1)
        assert accuracy_score(VAL.labels, predicted) == pytest.approx(best)
        inner += trained.best_iteration < trained.iterations
    assert inner  # at least one run was better before its end


@pytest.mark.parametrize(
    ("looks", "best"),
    [
        ([(0.5, 1.0), (0.5, 0.8), (0.5, 0.9), (0.4, 0.1)], 2),  # equal accuracies: the lower loss
        ([(0.5, 1.0), (0.7, 2.0), (0.6, 0.1), (0.6, 0.1)], 2),  # accuracy before loss
        ([(0.5, 1.0), (0.5, 1.0), (0.5, 1.0), (0.5, 1.0)], 1),  # the same: the first
        ([(0.1, 1.0), (0.2, 1.0), (0.3, 1.0), (0.4, 1.0)], 4),
    ],
)
def test_the_best_of_equal_accuracies_has_the_lower_loss(
    looks: list[tuple[float, float]], best: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    states, answers = [], iter(looks)

    real = Replicas.logits

    def looked(self: Replicas, *arguments: Any) -> Tensor:
        states.append({name: p.detach().clone() for name, p in self.network.named_parameters()})
        return real(self, *arguments)

    monkeypatch.setattr(Replicas, "logits", looked)
    monkeypatch.setattr(loop, "measures", lambda logits, labels: next(answers))
    trained, net, _ = run("T1-2_R3-4")
    assert (trained.best_iteration, trained.val_accuracy) == (best * 3, looks[best - 1][0])
    assert all(torch.equal(p, states[best - 1][name]) for name, p in net.named_parameters())
    assert not torch.equal(states[0]["fc4.weight"], states[1]["fc4.weight"])


@pytest.mark.parametrize("scheme", ["F1-3_R4", "F1-2_R3-4", "T1-2_R3-4"])
def test_the_same_seed_gives_the_same_bits(scheme: str) -> None:
    (first, ours, _), (again, theirs, _), (other, third, _) = (run(scheme, seed=seed) for seed in (4, 4, 5))
    assert first == again
    assert all(torch.equal(p, theirs.get_parameter(name)) for name, p in ours.named_parameters())
    assert [p.loss for p in first.curve] != [p.loss for p in other.curve]
    assert not torch.equal(ours.fc4.weight, third.fc4.weight)


def test_a_run_does_not_depend_on_what_ran_before() -> None:
    first, *_ = run("F1-3_R4", seed=4)
    run("T1-2_R3-4", seed=8)
    torch.rand(17)
    assert run("F1-3_R4", seed=4)[0] == first


def test_a_loss_that_is_no_number_ends_the_run() -> None:
    with pytest.raises(UserError, match=r"the loss is infinite at iteration \d+; lower .*solver.learning_rate"):
        run("R1-4", SOLVER.model_copy(update={"learning_rate": 1e30}))


@pytest.mark.parametrize(("evaluations", "at"), [(1, [12]), (4, [3, 6, 9, 12]), (5, [2, 5, 7, 10, 12])])
def test_validation_is_looked_at_evenly_and_at_the_end(evaluations: int, at: list[int]) -> None:
    trained, *_ = run(solver=SOLVER.model_copy(update={"evaluations": evaluations}))
    assert [point.iteration for point in trained.curve] == at
    assert trained.iterations == 12  # 24 images, 4 epochs, 8 a batch


def test_the_curves_loss_is_the_mean_since_the_last_look() -> None:
    each, some = (
        run("T1-2_R3-4", SOLVER.model_copy(update={"evaluations": evaluations}))[0].curve for evaluations in (12, 3)
    )
    losses = [point.loss for point in each]
    assert len(set(losses)) == 12
    np.testing.assert_allclose([p.loss for p in some], np.reshape(losses, (3, 4)).mean(1), rtol=1e-6)


def test_the_first_loss_is_that_of_the_start() -> None:
    solver = SOLVER.model_copy(update={"batch": 24, "epochs": 1, "evaluations": 1, "views": 1})
    trained, _, held_out = run("F1-3_R4", solver)
    prefix, net = held_out.prefix, network()
    torch.manual_seed(0)  # the run's dropout
    indices, epochs = next(data_order(24, 24, 1, seed=0))
    with torch.no_grad():
        scores = net.train()(prefix.batch(indices, epochs, torch.Generator()), start=prefix.cut)
    expected = log_loss(prefix.images.labels[indices], scores.double().softmax(1), labels=[0, 1, 2])
    assert trained.curve[0].loss == pytest.approx(expected, rel=1e-5)


def test_dropout_stays_active_in_frozen_blocks_while_training() -> None:
    net, active = network(), []
    parsed, frozen = Scheme.parse("F1-3_R4"), network().eval()
    net.drop3.register_forward_pre_hook(
        lambda layer, inputs: active.append((len(*inputs), torch.is_grad_enabled(), layer.training))
    )
    prefix = Prefix(frozen, frozen.prefix(3), preprocessing(), images(24), 2, seed=3)
    train(alone(net, parsed, SOLVER), parsed, SOLVER, prefix, prefix.held_out(VAL), seed=0)
    # Twelve iterations of eight images in one go, and each look.
    assert active == [(96, False, True), *4 * [(30, False, False)]]


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40))
def test_accuracies_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    labels, guesses = torch.tensor(pairs).T
    accuracy, mean_class = class_accuracies(guesses == labels, labels)
    assert accuracy == pytest.approx(accuracy_score(labels, guesses))
    recalls = [(guesses[labels == label] == label).double().mean().item() for label in labels.unique()]
    assert mean_class == pytest.approx(np.mean(recalls))
    if len(labels.unique()) > 1 and set(guesses.tolist()) <= set(labels.tolist()):  # else scikit-learn warns
        assert mean_class == pytest.approx(balanced_accuracy_score(labels, guesses))


def test_evaluation_is_scikit_learns() -> None:
    scores = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(50) % 4
    accuracy, loss = measures(scores, labels)
    assert accuracy == accuracy_score(labels, scores.argmax(1))  # to the last digit: it stands in the record
    assert loss == pytest.approx(log_loss(labels, scores.double().softmax(1)), rel=1e-5)


@pytest.mark.parametrize(
    ("accuracies", "images", "level"),
    [
        ([0.71, 0.8, 0.61, 0.59], 64, [0, 1]),  # an error is sqrt(.8 .2 / 64) = .05
        ([0.71, 0.8, 0.61, 0.59], 16, [0, 1, 2]),  # .1: .59 is just outside
        ([0.9, 1.0, 0.81], 10, [0, 1, 2]),  # of 1.0 one image: .1
        ([0.79, 1.0, 0.81], 100, [1]),
        ([0.5, 0.5], 2, [0, 1]),
    ],
)
def test_what_validation_cannot_tell_from_the_best(accuracies: list[float], images: int, level: list[int]) -> None:
    tried = tuple(Trained(Candidate(0.1), 9, 9, accuracy, 1.0, (), {}) for accuracy in accuracies)
    stopped = Trained(Candidate(0.1), 3, 3, 1.0, 1.0, (), {})
    assert Training((*tried, stopped), 9, 1.0).level(images) == level


def test_the_rate_drops_where_the_config_says(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[float] = []
    real = loop.Optimiser.step

    def step(self: loop.Optimiser, iteration: int, gradients: dict[str, Tensor]) -> None:
        real(self, iteration, gradients)
        steps.append(self.rate(iteration))

    monkeypatch.setattr(loop.Optimiser, "step", step)
    run("R1-4", SOLVER.model_copy(update={"drops": (0.5, 0.75)}))
    assert [later / earlier for earlier, later in pairwise(steps)] == pytest.approx(
        [1] * 5 + [0.1] + [1] * 2 + [0.1] + [1] * 2
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("method", ["sgd", "adamw"])
@pytest.mark.parametrize(("scheme", "views"), [("F1-3_R4", 2), ("F1-2_R3-4", 0), ("R1-4", 0)])
@pytest.mark.parametrize("candidates", [1, 3])
def test_no_step_waits_for_the_gpu(
    candidates: int, scheme: str, views: int, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loop._Run.step

    def step(self: loop._Run, *arguments: Any) -> None:
        torch.cuda.set_sync_debug_mode("error" if self.done >= 6 else "default")  # by then both views are cached
        try:
            real(self, *arguments)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(loop._Run, "step", step)
    grid = {"learning_rate": (0.01, 0.02)}
    search = Search(frozen=FrozenGrid(**grid), tuned=TunedGrid(**grid), halvings=()) if candidates > 1 else None
    solver = SOLVER.model_copy(update={"method": method, "clip": 1.0, "search": search})
    parsed, frozen = Scheme.parse(scheme), network().eval().to(GPU)
    views_of = replace(preprocessing(), mean=preprocessing().mean.to(GPU))
    pictures, val = (Images(one.pixels.to(GPU), one.labels.to(GPU)) for one in (images(24), VAL))
    prefix = Prefix(frozen, frozen.prefix(parsed.frozen), views_of, pictures, views, seed=3)
    made = learners(lambda: network().to(GPU), parsed, solver)
    trained = train(made, parsed, solver, prefix, prefix.held_out(val), 0)
    assert [one.iterations for one in trained.candidates] == [12] * candidates
