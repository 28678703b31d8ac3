"""Solvers and their searches: what is tried, and what is refused."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from freeze_or_tune.study.reading import load_study
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Candidate, CopiedGrid, FrozenGrid, Grid, Search, Solver, TunedGrid
from freeze_or_tune.system.errors import UserError

from .test_study import ROOT

GRID = st.none() | st.lists(st.floats(1e-6, 10), min_size=1, max_size=4).map(tuple)
TUNED, FROZEN = Scheme.parse("T1-7_R8"), Scheme.parse("F1-7_R8")


@given(GRID, GRID, GRID)
def test_the_solvers_own_values_come_first_and_none_comes_twice(rates, decays, copied_rates) -> None:
    grid = TunedGrid(learning_rate=rates, weight_decay=decays, copied_rate=copied_rates)
    solver = Solver(search=Search(tuned=grid))
    tried = solver.candidates(TUNED)
    assert tried[0] == Candidate(0.01, 0.0005, 0.2)
    assert len(set(tried)) == len(tried)
    product = len(set(rates or [0])) * len(set(decays or [0])) * len(set(copied_rates or [0]))
    assert len(tried) - product in (0, 1)
    assert {one.learning_rate for one in tried} == {0.01, *(rates or ())}
    assert all(one.c is None for one in tried)
    assert solver.stepped(TUNED) == tried
    assert solver.candidates(FROZEN) == (Candidate(0.01, 0.0005),)


def test_the_classifier_is_solved_for_only_where_it_is_all_that_learns() -> None:
    solver = Solver(search=Search(frozen=FrozenGrid(c=(0.1, 1))))
    assert solver.candidates(FROZEN)[1:] == (Candidate(c=0.1), Candidate(c=1))
    assert solver.stepped(FROZEN) == (Candidate(0.01, 0.0005),)
    for other in ("F1-5_R6-8", "T1-7_R8", "R1-8"):
        assert len(solver.candidates(Scheme.parse(other))) == 1


@given(GRID, GRID, GRID)
def test_another_methods_candidates_come_after_the_solvers_and_before_what_is_solved(rates, decays, copied) -> None:
    frozen = FrozenGrid(c=(1,), adamw=Grid(learning_rate=rates or (0.001,), weight_decay=decays))
    tuned = TunedGrid(adamw=CopiedGrid(learning_rate=rates or (0.001,), weight_decay=decays, copied_rate=copied))
    solver = Solver(search=Search(frozen=frozen, tuned=tuned))
    own, *beside, solved = solver.candidates(FROZEN)
    assert (own, solved) == (Candidate(0.01, 0.0005), Candidate(c=1))
    own, *beside_tuned = solver.candidates(TUNED)
    assert own == Candidate(0.01, 0.0005, 0.2)
    for tried, rates_of_copied in ((beside, [None]), (beside_tuned, copied or [0.2])):
        values = {
            (rate, decay, other)
            for rate in rates or [0.001]
            for decay in decays or [0.0005]
            for other in rates_of_copied
        }
        assert {one[:3] for one in tried} == values
        assert len(tried) == len(values)
        assert {one.method for one in tried} == {"adamw"}


def test_a_solver_without_what_is_new_has_the_settings_that_it_always_had() -> None:
    new = {"method", "schedule", "warm_up", "clip", "search"}
    assert not new & Solver().model_dump(mode="json").keys()
    assert Solver.model_validate(Solver().model_dump(mode="json")) == Solver()
    searching = Solver(method="adamw", clip=1, search=Search(tuned=TunedGrid(learning_rate=(1,)), rule="average"))
    dumped = searching.model_dump(mode="json")
    assert dumped.keys() & new == {"method", "clip", "search"}
    assert "rule" not in dumped["search"]  # it trains nothing


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("search: {frozen: {learning_rate: []}}", ["solver.search.frozen.learning_rate", "at least 1 item"]),
        ("search: {tuned: {learning_rate: [0.1, 0]}}", ["solver.search.tuned.learning_rate.1", "greater than 0"]),
        ("search: {tuned: {learning_rate: [.inf]}}", ["solver.search.tuned.learning_rate.0", "finite number"]),
        ("search: {tuned: {weight_decay: [.nan]}}", ["solver.search.tuned.weight_decay.0", "finite number"]),
        ("search: {tuned: {weight_decay: [-1]}}", ["solver.search.tuned.weight_decay.0", "greater than or equal to 0"]),
        ("search: {frozen: {c: [0]}}", ["solver.search.frozen.c.0", "greater than 0"]),
        ("search: {frozen: {mirror: [true, false]}}", ["unknown key 'mirror'", "learning_rate, weight_decay, c"]),
        ("search: {frozen: {learning_rate: [fast]}}", ["learning_rate.0", "valid number", "fast"]),
        ("search: {tuned: {adamw: {weight_decay: [0.1]}}}", ["solver.search", "tuned.adamw needs learning_rate"]),
        ("search: {frozen: {adamw: {c: [1]}}}", ["solver.search.frozen.adamw", "unknown key 'c'"]),
        ("search: {frozen: {sgd: {learning_rate: [1]}}}", ["solver", "sgd is the solver's own", "search.frozen"]),
        ("{method: adamw, search: {tuned: {adamw: {learning_rate: [1]}}}}", ["adamw is the solver's own"]),
        ("search: {}", ["solver.search", "nothing to search"]),
        ("search: {frozen: {}}", ["solver.search", "nothing to search"]),
        ("search: {tuned: {learning_rate: [1]}, rule: best}", ["solver.search.rule", "'validation'", "'best'"]),
        ("search: {tuned: {learning_rate: [1]}, halvings: [0.5, 0.2]}", ["halvings [0.5, 0.2] must rise"]),
        ("search: {tuned: {learning_rate: [1]}, halvings: [1.5]}", ["solver.search.halvings.0", "less than 1"]),
        ("search: {tuned: {learning_rate: [0.1]}, rule: average}", ["average needs two candidates", "F1-7_R8 has one"]),
        ("learning_rate: .inf", ["solver.learning_rate", "finite number"]),
        ("learning_rate: 0", ["solver.learning_rate", "greater than 0"]),
        ("momentum: .nan", ["solver.momentum", "finite number"]),
        ("warm_up: 1", ["solver.warm_up", "less than 1"]),
        ("clip: .inf", ["solver.clip", "finite number"]),
        ("method: adam", ["solver.method", "'sgd' or 'adamw'"]),
    ],
)
def test_what_cannot_be_is_refused_with_the_key_the_value_and_what_is_allowed(text: str, words: list[str]) -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["solver"] = {**config["solver"], **yaml.safe_load(text)}
    with pytest.raises(UserError) as error:
        load_study(config)
    for word in words:
        assert word in str(error.value)
    assert str(error.value).count("\n") == 1, "one mistake, one line"


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_no_number_of_any_config_is_infinite(number: float) -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())

    def spoilt(part, path=()):
        """The config with each of its numbers in turn replaced."""
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            if isinstance(value, dict | list):
                yield from spoilt(value, (*path, key))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                part[key] = number
                yield (*path, key)
                part[key] = value

    seen = 0
    for place in spoilt(config):
        with pytest.raises(UserError):
            load_study(config)
        seen += 1
        assert place
    assert seen > 60


def test_a_source_is_trained_at_one_rate() -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    search = {"search": {"tuned": {"learning_rate": [0.1]}}}
    config["sources"]["latin-a"]["pretraining"]["solver"] |= search
    with pytest.raises(UserError, match=r"solver\.search: a source is trained at one rate"):
        load_study(config)
    with pytest.raises(ValidationError):
        Search(halvings=(0.1,))


def test_a_candidate_alone_is_trained_as_it_was_in_the_search() -> None:
    """Each of a search's candidates, taken out of it, is the only one of a solver that looks once, at the end."""
    solver = Solver.model_validate({"search": {
        "frozen": {"learning_rate": [0.1], "c": [0.5], "adamw": {"learning_rate": [0.001]}},
        "tuned": {"learning_rate": [0.1], "copied_rate": [1], "adamw": {"learning_rate": [0.001], "copied_rate": [2]}},
    }})  # fmt: skip
    for scheme in (FROZEN, TUNED):
        for candidate in solver.candidates(scheme):
            alone = solver.alone(candidate)
            (only,) = alone.candidates(scheme)
            assert (alone.evaluations, alone.search) == (1, None)
            assert only == candidate._replace(method=None)
            if candidate.c is None:
                assert alone.method_of(only) == solver.method_of(candidate)
            assert Solver.model_validate(alone.model_dump()) == alone


def test_a_solver_that_solves_does_so_only_where_the_classifier_is_all_that_learns() -> None:
    solver = Solver(c=0.1)
    assert solver.candidates(FROZEN) == (Candidate(c=0.1),)
    assert solver.stepped(FROZEN) == ()
    for other in (TUNED, Scheme.parse("F1-5_R6-8"), Scheme.parse("R1-8")):
        assert [one.c for one in solver.candidates(other)] == [None]
    with pytest.raises(ValidationError, match=r"a search tries several in search\.frozen\.c"):
        Solver.model_validate({"c": 1, "search": {"frozen": {"c": [1]}}})


@pytest.mark.parametrize(
    ("scheme", "rate"), [("T1-7_R8", 0.7), ("F1-4_T5-7_R8", 0.7), ("T1-7_R8bp", 0.7), ("F1-7_R8", 0.5), ("R1-8", 0.5)]
)
def test_what_tunes_any_copied_block_has_the_grid_of_tuned_schemes(scheme: str, rate: float) -> None:
    search = Search(frozen=FrozenGrid(learning_rate=(0.5,)), tuned=TunedGrid(learning_rate=(0.7,)))
    tried = Solver(search=search).candidates(Scheme.parse(scheme))
    assert [one.learning_rate for one in tried] == [0.01, rate]
