import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from freeze_or_tune.__main__ import main
from freeze_or_tune.analysis.advice.held_out import RULES, counsels, coverage, held_out, outcome, summary, widths
from freeze_or_tune.analysis.statistics.intervals import Evidence

from ..conftest import Results

FAR = ("one", "two", "three", "four", "five", "six", "seven")
PROBES = {"one": 0.5, "two": 0.6, "three": 0.65, "four": 0.7, "five": 0.75, "six": 0.85, "seven": 0.9}


def probed(results: Results, source: str = "latin-a", suffix: str = "") -> None:
    """Far targets, which want to be tuned with much data, the more the less their features tell, but for the fourth."""
    for place, target in enumerate(FAR):
        for n in (10, 300):
            frozen = PROBES[target]
            tuned = frozen * (1.4 - 0.4 * frozen) * (0.9 if n == 10 else 1.0) + 0.01 * (place % 3)
            if target == "four":
                tuned, frozen = 0.5, 0.7
            name = target + suffix
            for scheme, accuracy in (("T1-7_R8", tuned), ("F1-7_R8", frozen)):
                results.experiment(name, n, scheme, [accuracy], dataset=target, source=source, classes=25)
            results.probe(name, n, PROBES[target] + 0.01 * (place % 4), PROBES[target], source=source)
        results.distance(target + suffix, "cosine", 0.5 + place / 20, source=source)


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = Results(tmp_path_factory.mktemp("study"))
    probed(results)
    return results.collect()


@pytest.fixture(scope="module")
def table(csv: Path) -> pd.DataFrame:
    return held_out(Evidence.read(csv)).set_index(["target", "n"])


def test_a_dataset_is_no_evidence_for_itself(csv: Path, table: pd.DataFrame) -> None:
    """The others are tuned, and so says the paper; what is foreseen does not know that the fourth is not."""
    last = table.loc["four", 300]
    assert (last["paper"], last["experiments"], last["ratio"] < 0.75) == ("Tune", "Tune", True)
    assert last["foreseen"] > 1
    changed = Results(csv.parent / "changed")
    probed(changed)
    for scheme in ("T1-7_R8", "F1-7_R8"):
        changed.experiments.remove(changed.root / f"experiments/four/n300/{scheme}.json")
        changed.experiment("four", 300, scheme, [0.3 if scheme[0] == "T" else 0.9], dataset="four", classes=25)
    again = held_out(Evidence.read(changed.collect())).set_index(["target", "n"])
    assert again.loc["four", 300]["foreseen"] == pytest.approx(last["foreseen"])
    assert again.loc["one", 300]["foreseen"] != pytest.approx(table.loc["one", 300]["foreseen"])


def test_a_dataset_is_left_out_with_all_its_sources(tmp_path: Path) -> None:
    results = Results(tmp_path)
    probed(results)
    probed(results, source="other", suffix="-2")
    found = held_out(Evidence.read(results.collect())).set_index(["target", "n"])
    alone = Results(tmp_path / "alone")
    probed(alone)
    assert found.loc["four-2", 300]["foreseen"] == pytest.approx(found.loc["four", 300]["foreseen"])


@pytest.mark.parametrize(
    ("tuned", "low", "high", "expected"),
    [
        (True, 1.1, 1.3, "better"), (False, 1.1, 1.3, "worse"), (True, 0.7, 0.9, "worse"), (False, 0.7, 0.9, "better"),
        (True, 0.9, 1.1, "tie"), (False, 1.0, 1.2, "tie"),
    ],
)  # fmt: skip
def test_outcomes(tuned: bool, low: float, high: float, expected: str) -> None:
    assert outcome(tuned, low, high) == expected


def rows(*pairs: tuple[str, str, float, float, str]) -> pd.DataFrame:
    """By what is advised, what the paper says, both accuracies, and what validation prefers."""
    return pd.DataFrame([
        {
            "advised": advised, "paper": paper, "tuned": tuned, "frozen": frozen, "validation": validation,
            "tuned_seconds": 100.0, "frozen_seconds": 10.0, "ratio": tuned / frozen, "low": tuned / frozen - 0.1,
            "high": tuned / frozen + 0.1, "foreseen": 1.0, "from": 0.5, "to": 1.5,
            "constant_from": 0.4, "constant_to": 2.0,
        }
        for advised, paper, tuned, frozen, validation in pairs
    ])  # fmt: skip


def test_rules_lose_points_and_cost_seconds() -> None:
    table = rows(("Tune", "Freeze", 0.8, 0.5, "Tune"), ("Try both", "nothing", 0.6, 0.7, "Tune"))
    found = summary(table).set_index("rule")
    assert list(found.index) == list(RULES)
    expected = {
        "the advice, without a race": (5, 10, 105, 1, 0, 1),
        "Table 3 of the paper": (20, 30, 60, 0, 0, 2),
        "always freeze": (15, 30, 10, 1, 0, 1),
        "always tune": (5, 10, 100, 1, 0, 1),
        "try both": (5, 10, 110, 1, 0, 1),
        "the oracle": (0, 0, 55, 2, 0, 0),
    }
    for rule, numbers in expected.items():
        assert found.loc[rule].tolist() == pytest.approx(numbers), rule
    assert counsels(table) == {"Tune": 1, "Freeze": 0, "Try both": 1}


def test_forecasts_that_hold_are_counted_and_measured() -> None:
    table = rows(("Tune", "Tune", 0.5, 0.5, "Tune"), ("Tune", "Tune", 0.9, 0.5, "Tune"), ("Tune", "Tune", 1, 1, "Tune"))
    table.loc[2, ["foreseen", "from", "to"]] = np.nan
    assert coverage(table) == (1, 2)
    assert widths(table) == pytest.approx((3, 5))


def test_the_command_prints_it(csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", str(csv)]) == 0
    printed = capsys.readouterr().out
    assert all(f"| {rule} " in printed for rule in RULES)
    assert "of 14 ratios; its ends are a factor of" in printed


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
    assert "of 14 ratios;" in printed


@pytest.mark.slow
def test_a_reader_that_has_enough_is_no_crash(csv: Path) -> None:
    command = f"{sys.executable} -m freeze_or_tune judge {shlex.quote(str(csv))} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
