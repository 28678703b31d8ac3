"""Results of different configs are refused, when they are collected and when they are read."""

import pytest

from freeze_or_tune.analysis.results.table import read_results
from freeze_or_tune.study.settings import SplitSettings
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.system.errors import UserError

from ..conftest import NETWORK

WET = NETWORK.model_copy(update={"dropout": 0.1})
SPLIT = SplitSettings(dataset="a-images", seed=0, n=9, val=5, test=20)


@pytest.mark.parametrize(
    ("target", "changes", "problem"),
    [
        ("b", {"study": "other"}, "its study is 'other', but 'embedded' in .*T1-7_R8.json, of the same study"),
        ("b", {"solver": Solver(epochs=7)}, "its solver.epochs is 7, but 20 in .*of the same study"),
        ("b", {"seed": 4}, "its seed is 4, but 0 in"),
        (
            "b",
            {"network": NETWORK.model_copy(update={"dropout": 0.1})},
            "its network.dropout is 0.1, .* source latin-a;",
        ),
        ("b", {"source": "greek", "network": NETWORK.model_copy(update={"crop": 30})}, ""),
        ("b", {"split": SPLIT.model_copy(update={"test": 10})}, ""),
        (
            "a",
            {"split": SPLIT.model_copy(update={"test": 10, "dataset": "a-images"})},
            "its split.test is 10, but 20 in",
        ),
        ("a", {"source": "greek"}, "its source is 'greek', but 'latin-a' in .*of the same target a;"),
        ("a", {"runs": 3}, ""),
    ],
)
def test_settings_that_do_not_belong_together_are_named(results, target, changes, problem):
    results.experiment("a", 10, "T1-7_R8", [0.5])
    results.experiment(target, 9, "F1-7_R8", [0.5], **changes)
    if problem:
        with pytest.raises(UserError, match=rf"n9/F1-7_R8.json: {problem}"):
            results.collect()
    else:
        assert len(read_results(results.collect())) == 2


@pytest.mark.parametrize("column", ["study", "protocol"])
def test_a_table_that_mixes_studies_is_refused_unless_told(collected, edit, column):
    path = collected({("a", 10, "T1-7_R8"): [0.5, 0.6], ("a", 10, "F1-7_R8"): [0.5, 0.6]}, {"a": 0.1})
    edit(path, 2, column, "another")
    with pytest.raises(UserError, match=rf"line 4, {column}: 'another' is not that of line 2, .*--mixed"):
        read_results(path)
    assert len(read_results(path, mixed=True)) == 4
