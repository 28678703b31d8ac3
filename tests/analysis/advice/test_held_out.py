import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from freeze_or_tune.__main__ import main
from freeze_or_tune.analysis.advice.held_out import coverage, held_out, outcome, summary
from freeze_or_tune.analysis.statistics.intervals import Evidence

from ..conftest import Results

FAR = ("one", "two", "three", "four")


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four far targets with much data, of which the last wants to be frozen; nobody knows before trying."""
    results = Results(tmp_path_factory.mktemp("study"))
    for place, target in enumerate(FAR):
        for n in (100, 300):
            tuned, frozen = (0.5, 0.9) if target == "four" else (0.9, 0.5)
            results.experiment(target, n, "T1-7_R8", [tuned])
            results.experiment(target, n, "F1-7_R8", [frozen])
        results.distance(target, "cosine", 0.5 + place / 10)
    return results.collect()


@pytest.fixture(scope="module")
def table(csv: Path) -> pd.DataFrame:
    return held_out(Evidence.read(csv)).set_index(["target", "n"])


@pytest.mark.slow
def test_a_target_is_no_evidence_for_itself(table: pd.DataFrame) -> None:
    # The other three want to be tuned, and so does the paper; its own experiments say otherwise.
    last = table.loc["four", 100]
    assert (last["paper"], last["experiments"], last["advice"], last["outcome"]) == ("Tune", "Tune", "Tune", "worse")


@pytest.mark.slow
def test_of_both_the_one_better_on_validation_is_taken(table: pd.DataFrame) -> None:
    # Two of its three neighbours want to be tuned and one to be frozen, so nothing is certain.
    first = table.loc["one", 300]
    assert (first["experiments"], first["advice"]) == ("Try both", "Try both")
    # In these made-up results validation accuracy is one minus that of the test.
    assert (first["chosen"], first["outcome"]) == ("Freeze", "worse")


@pytest.mark.parametrize(
    ("tuned", "low", "high", "expected"),
    [
        (True, 1.1, 1.3, "better"), (False, 1.1, 1.3, "worse"), (True, 0.7, 0.9, "worse"), (False, 0.7, 0.9, "better"),
        (True, 0.9, 1.1, "tie"), (False, 1.0, 1.2, "tie"),
    ],
)  # fmt: skip
def test_outcomes(tuned: bool, low: float, high: float, expected: str) -> None:
    assert outcome(tuned, low, high) == expected


@pytest.mark.slow
def test_rules_are_counted_over_all_pairs(table: pd.DataFrame) -> None:
    counts = summary(table).set_index("rule")
    assert counts.loc["always tune"].tolist() == [6, 0, 2]
    assert counts.loc["always freeze"].tolist() == [2, 0, 6]
    assert counts.loc["the advice"].sum() == 8
    parts = counts.loc[["... where it named one", '... where it said "Try both"']].sum()
    assert parts.tolist() == counts.loc["the advice"].tolist()


@pytest.mark.slow
def test_forecasts_that_hold_are_counted(table: pd.DataFrame) -> None:
    held, forecasts = coverage(table)
    assert forecasts == 8
    inside = (table["ratio"] >= table["from"]) & (table["ratio"] <= table["to"])
    assert held == inside.sum()


@pytest.mark.slow
def test_the_command_prints_it(csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", str(csv)]) == 0
    printed = capsys.readouterr().out
    assert "| always tune " in printed
    assert "of 8 ratios." in printed


@pytest.mark.slow
def test_several_studies_are_judged_together(csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Results(tmp_path)
    settings = {"study": "other"}
    for scheme, accuracy in (("T1-7_R8", 0.6), ("F1-7_R8", 0.8)):
        other.experiment("one", 100, scheme, [accuracy], **settings)
    other.distance("one", "cosine", 0.9)
    assert main(["judge", str(csv), str(other.collect())]) == 0
    printed = capsys.readouterr().out
    assert "| embedded:one " in printed
    assert "| other:one " in printed
    assert "of 9 ratios." in printed


@pytest.mark.slow
def test_a_reader_that_has_enough_is_no_crash(csv: Path) -> None:
    command = f"{sys.executable} -m freeze_or_tune judge {shlex.quote(str(csv))} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
