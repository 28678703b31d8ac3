"""Which candidate stands for a run, and that the test images have no say in it."""

import random
from collections.abc import Sequence

import pandas as pd
import pytest

from freeze_or_tune.analysis.results.candidates import read_candidates
from freeze_or_tune.analysis.results.choosing import AVERAGE, chosen, first
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.study.solver import Rule
from freeze_or_tune.system.errors import UserError

from ..conftest import Results

RULES: tuple[Rule, ...] = ("validation", "average", "transfer", "shrinkage")
OWN = [(0.01, 0.5, 0.4), (0.03, 0.52, 0.3), (0.1, 0.4, 0.45)]
"""By its own few validation images the second is best."""
OTHERS = {
    "far": [(0.01, 0.9, 0.9), (0.03, 0.5, 0.5), (0.1, 0.6, 0.6)],
    "near": [(0.01, 0.7, 0.1), (0.03, 0.6, 0.2), (0.1, 0.7, 0.3)],
}


@pytest.fixture
def records(results: Results) -> list[Experiment]:
    paths = [results.experiment("own", 1, "F1-7_R8", [0, 0], tried=OWN)]
    paths += [results.experiment(target, 10, "F1-7_R8", [0], tried=tried) for target, tried in OTHERS.items()]
    # Another scheme's word does not count, nor that of the same target with more images.
    paths.append(results.experiment("far", 10, "T1-7_R8", [0], tried=[(0.01, 0, 0), (0.03, 1, 1), (0.1, 0, 0)]))
    paths.append(results.experiment("own", 10, "F1-7_R8", [0], tried=[(0.01, 0, 0), (0.03, 0, 1), (0.1, 1, 0)]))
    return [Experiment.read(path) for path in paths]


def places(records: Sequence[Experiment], rule: Rule) -> list[int]:
    return [one.place for runs in chosen(records, rule) for one in runs]


def test_validation_chooses_what_is_best_on_it(records: list[Experiment]) -> None:
    assert places(records, "validation") == [1, 1, 0, 0, 1, 2]  # of near's equals the lower loss is the first


def test_transfer_chooses_what_lost_least_on_the_other_targets(records: list[Experiment]) -> None:
    # Lost by far and near: 0 and 0; .4 and .1; .3 and 0. By own (mean over n = 1 and 10) and far, for near.
    lost = {"far": [0, 0.4, 0.3], "own": [(0.02 * 2 + 1) / 3, 1 / 3, 0.12 * 2 / 3]}
    means = [sum(values) / 2 for values in zip(*lost.values(), strict=True)]
    assert places(records, "transfer")[:2] == [0, 0]
    assert places(records, "transfer")[3] == means.index(min(means))


def test_shrinkage_weighs_both_by_their_images(records: list[Experiment]) -> None:
    # 50 own validation images against 50 of the others: .5 (.02, 0, .12) + .5 (0, .25, .15).
    assert places(records, "shrinkage")[:2] == [0, 0]
    many = [record.model_copy(update={"val_images": 5000}) for record in records]
    assert places(many, "shrinkage")[:2] == [1, 1]


def test_a_target_alone_is_chosen_for_by_its_own_validation(records: list[Experiment]) -> None:
    for rule in ("transfer", "shrinkage"):
        assert places(records[:1], rule) == [1, 1]


def test_the_average_is_none_of_them(records: list[Experiment]) -> None:
    assert set(places(records, "average")) == {AVERAGE}
    assert {one.tested.test_accuracy for runs in chosen(records, "average") for one in runs} == {1}


def test_a_run_without_a_search_stands_for_itself(results: Results) -> None:
    record = Experiment.read(results.experiment("own", 1, "F1-7_R8", [0.25]))
    for rule in RULES:
        ((one,),) = chosen([record], rule)
        assert (one.tested.test_accuracy, one.place) == (0.25, 0)
    assert first(record.runs[0]).tested.test_accuracy == 0.25


@pytest.mark.parametrize("rule", RULES)
def test_other_test_results_change_no_choice(rule: Rule, records: list[Experiment]) -> None:
    draw = random.Random(0)
    shuffled = []
    for record in records:
        runs = []
        for run in record.runs:
            tests = [(one.test_accuracy, one.mean_class_accuracy, one.correct) for one in run.candidates]
            draw.shuffle(tests)
            names = ("test_accuracy", "mean_class_accuracy", "correct")
            candidates = [
                one.model_copy(update=dict(zip(names, values, strict=True)))
                for one, values in zip(run.candidates, tests, strict=True)
            ]
            runs.append(run.model_copy(update={"candidates": tuple(candidates), "test_accuracy": 0.0}))
        shuffled.append(record.model_copy(update={"runs": tuple(runs)}))
    assert shuffled != records
    assert places(shuffled, rule) == places(records, rule)


def test_tables_hold_both_protocols_and_all_candidates(results: Results) -> None:
    results.experiment("own", 1, "F1-7_R8", [0, 0], tried=OWN)
    results.experiment("own", 1, "T1-7_R8", [0.25])
    searched = results.collect_searched()
    best, one_rate = (
        pd.read_csv(path).set_index(["scheme", "run"])["test_accuracy"] for path in (results.csv, searched.one_rate)
    )
    assert best.to_dict() == {("T1-7_R8", 0): 0.25, ("F1-7_R8", 0): 0.3, ("F1-7_R8", 1): 0.3}
    assert one_rate.to_dict() == {("T1-7_R8", 0): 0.25, ("F1-7_R8", 0): 0.4, ("F1-7_R8", 1): 0.4}
    table = read_candidates(searched.candidates)
    averages, table = table[table["learning_rate"].isna()], table.dropna(subset="learning_rate")
    assert (averages["test_accuracy"].tolist(), averages["chosen"].tolist()) == ([1, 1], ["", ""])
    assert table["learning_rate"].tolist() == [0.01, 0.03, 0.1] * 2
    assert table["chosen"].tolist() == ["", "yes", ""] * 2
    assert table["one_rate"].tolist() == ["yes", "", ""] * 2
    assert table["test_accuracy"].tolist() == [0.4, 0.3, 0.45] * 2
    averaged = results.collect_searched("average")
    assert read_candidates(averaged.candidates)["chosen"].tolist() == ["", "", "", "yes"] * 2
    assert pd.read_csv(results.csv)["test_accuracy"].tolist() == [0.25, 1, 1]


def test_at_one_rate_settings_are_those_of_a_study_without_a_search(results: Results) -> None:
    from freeze_or_tune.study.solver import FrozenGrid, Search, Solver  # noqa: PLC0415

    plain = results.experiment("own", 1, "F1-7_R8", [0.4])
    without = pd.read_csv(results.collect())
    search = Search(frozen=FrozenGrid(learning_rate=(0.03, 0.1)))
    again = results.experiment("own", 1, "F1-7_R8", [0.4], tried=OWN, solver=Solver(search=search))
    assert again == plain
    results.experiments.pop()
    searched = results.collect_searched()
    pd.testing.assert_frame_equal(
        pd.read_csv(searched.one_rate)[["settings", "protocol"]], without[["settings", "protocol"]]
    )
    assert pd.read_csv(results.csv)["protocol"].tolist() != without["protocol"].tolist()


@pytest.mark.parametrize("text", ["", "study,source\n", "a,b\n1,2\n"])
def test_what_is_no_table_of_candidates_is_refused(text: str, results: Results) -> None:
    path = results.root / "candidates.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=r"candidates\.csv .*; delete it and run snakemake again"):
        read_candidates(path)
