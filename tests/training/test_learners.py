"""Candidates of a search: side by side or in one wider network each learns as if it were alone."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Candidate, CopiedGrid, FrozenGrid, Grid, Search, Solver, TunedGrid, kept
from freeze_or_tune.training import loop
from freeze_or_tune.training.checkpoint import Checkpoints, Stopped
from freeze_or_tune.training.learners import Learners, Replicas, Stack, learners
from freeze_or_tune.training.loop import Training, train
from freeze_or_tune.training.prefix import Prefix

from .small import images, network, preprocessing

RATES = (0.003, 0.02, 0.1)
SOLVER = Solver(batch=8, epochs=4, min_iterations=12, max_iterations=12, evaluations=4, views=2, drops=(0.5,))
SEARCH = Search(
    frozen=FrozenGrid(learning_rate=RATES, weight_decay=(0.0, 0.05)),
    tuned=TunedGrid(learning_rate=RATES, copied_rate=(0.2, 1)),
    halvings=(),
)
METHODS = {"sgd": ("sgd", SEARCH), "adamw": ("adamw", SEARCH)}
METHODS["both"] = (
    "sgd",
    SEARCH.model_copy(
        update={
            "frozen": FrozenGrid(
                weight_decay=(0.0,), adamw=Grid(learning_rate=(0.001, 0.01), weight_decay=(0.05, 0.1))
            ),
            "tuned": TunedGrid(copied_rate=(1,), adamw=CopiedGrid(learning_rate=(0.001, 0.01), copied_rate=(0.5, 1))),
        }
    ),
)
"""Of the solver, and what is tried: 7 candidates of its own method, or 2 beside 4 of another."""
STACKED, APART = "F1-2_R3-4", "T1-2_R3-4"


def run(
    scheme: str, solver: Solver, checkpoints: Checkpoints | None = None, noise: float = 80
) -> tuple[Training, Learners, Prefix]:
    parsed, frozen = Scheme.parse(scheme), network().eval()
    prefix = Prefix(frozen, frozen.prefix(parsed.frozen), preprocessing(), images(20, noise=noise), solver.views, 3)
    candidates = learners(network, parsed, solver)
    val = prefix.held_out(images(30, seed=9, noise=noise))
    return train(candidates, parsed, solver, prefix, val, 5, checkpoints), candidates, prefix


def alone(solver: Solver, candidate: Candidate) -> Solver:
    values = {name: value for name, value in candidate._asdict().items() if value is not None}
    return solver.model_copy(update={"search": None, **values})


@pytest.mark.parametrize("methods", METHODS)
def test_side_by_side_each_is_bit_for_bit_what_it_is_alone(methods: str) -> None:
    method, search = METHODS[methods]
    solver = SOLVER.model_copy(update={"search": search, "method": method, "clip": 1.0})
    together, candidates, _ = run(APART, solver)
    assert isinstance(candidates, Replicas)
    assert len(together.candidates) == (6 if methods == "both" else 7)
    for one in together.candidates:
        single = run(APART, alone(solver, one.candidate))[0].candidates[0]
        assert (single.curve, single.rank) == (one.curve, one.rank)
        assert all(torch.equal(value, one.parameters[name]) for name, value in single.parameters.items())


@pytest.mark.parametrize("methods", METHODS)
def test_in_one_pass_each_is_what_it_is_alone(methods: str) -> None:
    """To a tolerance: a wider product sums in another order than a narrow one."""
    method, search = METHODS[methods]
    solver = SOLVER.model_copy(update={"search": search, "method": method, "schedule": "cosine", "warm_up": 0.25})
    together, candidates, _ = run(STACKED, solver)
    assert isinstance(candidates, Stack)
    losses = {one.curve[-1].loss for one in together.candidates}
    assert len(losses) == len(together.candidates) == (6 if methods == "both" else 7)
    for one in together.candidates:
        single = run(STACKED, alone(solver, one.candidate))[0].candidates[0]
        assert [p.loss for p in single.curve] == pytest.approx([p.loss for p in one.curve], rel=1e-4)
        assert single.val_accuracy == one.val_accuracy
        for name, value in single.parameters.items():
            torch.testing.assert_close(one.parameters[name], value, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(1e-4, 0.1), min_size=1, max_size=4, unique=True),
    st.lists(st.floats(0, 0.1), min_size=1, max_size=2, unique=True),
    st.sampled_from([STACKED, "F1-3_R4", APART, "R1-4"]),
)
def test_any_grid_is_as_many_runs(rates: list[float], decays: list[float], scheme: str) -> None:
    grid = {"learning_rate": tuple(rates), "weight_decay": tuple(decays)}
    search = Search(frozen=FrozenGrid(**grid), tuned=TunedGrid(**grid), halvings=())
    solver = SOLVER.model_copy(update={"search": search})
    together = run(scheme, solver)[0].candidates
    assert len(together) == len({(0.01, 0.0005), *((rate, decay) for rate in rates for decay in decays)})
    for one in together:
        single = run(scheme, alone(solver, one.candidate))[0].candidates[0]
        assert [p.loss for p in one.curve] == pytest.approx([p.loss for p in single.curve], rel=1e-3)


@pytest.mark.parametrize("scheme", [STACKED, APART])
def test_a_candidate_that_diverges_stops_and_harms_no_other(scheme: str) -> None:
    wild = Search(frozen=FrozenGrid(learning_rate=(1e30,)), tuned=TunedGrid(learning_rate=(1e30,)), halvings=())
    (own, lost), *_ = (run(scheme, SOLVER.model_copy(update={"search": wild}))[0].candidates,)
    single = run(scheme, SOLVER)[0].candidates[0]
    assert [p.loss for p in own.curve] == pytest.approx([p.loss for p in single.curve], rel=1e-4)
    assert own.iterations == 12
    assert lost.iterations == 3  # the first look
    assert lost.curve == ()
    assert lost.rank < own.rank
    assert replace(lost, val_accuracy=1).rank < own.rank  # whatever its accuracy happens to be


def test_the_worse_half_stops_but_never_the_solvers_own() -> None:
    solver = SOLVER.model_copy(
        update={
            "learning_rate": 1e-9,  # the worst
            "search": Search(tuned=TunedGrid(learning_rate=(0.001, 0.01, 0.03, 0.1)), halvings=(0.1, 0.5)),
        }
    )
    trained = run(APART, solver)[0].candidates
    assert sorted(one.iterations for one in trained) == [3, 3, 6, 12, 12]
    assert trained[0].iterations == 12
    stopped = [one for one in trained if one.iterations == 3]
    assert all(one.curve == one.curve[:1] for place, one in enumerate(trained) if one in stopped)
    # They are tested as they were when they were stopped, and are part of the record.
    assert all(one.best_iteration == 3 for one in stopped)


def test_how_many_go_on() -> None:
    assert [kept(count) for count in range(7)] == [0, 1, 1, 1, 2, 2, 3]
    assert SOLVER.lanes(Scheme.parse(APART)) == 1
    five = Search(tuned=TunedGrid(learning_rate=(1, 2, 3, 4)))
    lanes = SOLVER.model_copy(update={"search": five}).lanes(Scheme.parse(APART))
    assert lanes == pytest.approx(5 * 0.1 + 3 * 0.2 + 2 * 0.7)


@pytest.mark.slow
@pytest.mark.parametrize("methods", METHODS)
@pytest.mark.parametrize("scheme", [STACKED, APART])
@pytest.mark.parametrize("iteration", [1, 3, 5, 6, 10])
def test_a_search_that_was_stopped_ends_with_the_same_bits(
    methods: str, scheme: str, iteration: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, search = METHODS[methods]
    solver = SOLVER.model_copy(
        update={"search": search.model_copy(update={"halvings": (0.1, 0.5)}), "method": method, "clip": 0.5}
    )
    whole = run(scheme, solver)[0]
    real, steps = loop._Run.step, []

    def step(self: loop._Run, alive: list[loop._Lane]) -> None:
        real(self, alive)
        steps.append(self.done)
        if self.done == iteration:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(loop._Run, "step", step)
    with pytest.raises(Stopped):
        run(scheme, solver, Checkpoints(tmp_path, 1e9))
    monkeypatch.setattr(loop._Run, "step", real)
    torch.rand(3)  # another process has another past
    again = run(scheme, solver, Checkpoints(tmp_path, 1e9))[0]
    assert again == whole
    for one, other in zip(again.candidates, whole.candidates, strict=True):
        assert all(torch.equal(value, one.parameters[name]) for name, value in other.parameters.items())


@pytest.mark.parametrize("scheme", [STACKED, APART])
def test_each_is_tested_at_its_best(scheme: str) -> None:
    trained, candidates, prefix = run(scheme, SOLVER.model_copy(update={"search": SEARCH}))
    test = prefix.held_out(images(25, seed=4, noise=80))
    logits = candidates.logits_with(test, [one.parameters for one in trained.candidates])
    assert logits.shape == (7, 25, 3)
    for one, scores in zip(trained.candidates, logits, strict=True):
        net = network()
        net.load_state_dict(one.parameters, strict=False)
        with torch.no_grad():
            expected = net.eval()(preprocessing().centre_views(test.images.pixels))
        torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)


def test_what_is_stopped_takes_no_memory() -> None:
    parsed = Scheme.parse(APART)
    candidates = learners(network, parsed, SOLVER.model_copy(update={"search": SEARCH}))
    candidates.parameters(3, Candidate(0.1, 0.0, 1.0))
    candidates.stop(3)
    with pytest.raises(KeyError):
        candidates.learnt(3)


def test_a_grid_of_another_mode_is_not_tried() -> None:
    solver = SOLVER.model_copy(update={"search": Search(frozen=FrozenGrid(learning_rate=(1, 2)))})
    assert len(solver.candidates(Scheme.parse("F1-3_R4"))) == 3
    assert len(solver.candidates(Scheme.parse("T1-3_R4"))) == 1
    assert Grid.model_fields.keys() < TunedGrid.model_fields.keys()
