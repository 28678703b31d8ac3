"""Table 3: the rule at its edges, the test against independent computations, and what is printed."""

import base64
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap

from freeze_or_tune.analysis.show.sheets import write_sheet
from freeze_or_tune.analysis.show.tables import table3
from freeze_or_tune.analysis.statistics import verdicts
from freeze_or_tune.analysis.statistics.intervals import IMAGES_ONLY, Evidence
from freeze_or_tune.analysis.statistics.verdicts import recommend, recommendations, two_sided

BOTH_WAYS = "Try Freeze or Tune"


@pytest.mark.parametrize(
    ("mean", "p", "for_tuning", "for_freezing", "advice"),
    [
        (math.nan, math.nan, 0, 0, "no experiments"),
        (1.01, 0.049, 0, 0, "Tune"),
        (1.0099, 0.049, 3, 0, BOTH_WAYS),
        (1.01, 0.05, 0, 0, BOTH_WAYS),
        (1.5, 0.001, 5, 1, BOTH_WAYS),
        (1 / 1.01, 0.049, 0, 0, "Freeze"),
        (0.991, 0.049, 0, 2, BOTH_WAYS),
        (0.5, 0.001, 1, 5, BOTH_WAYS),
        (0.5, 0.2, 0, 1, BOTH_WAYS),
    ],
)
def test_the_rule_at_its_edges(mean, p, for_tuning, for_freezing, advice):
    assert recommend(mean, p, for_tuning, for_freezing) == advice
    mirror = {"Tune": "Freeze", "Freeze": "Tune"}
    assert recommend(1 / mean, p, for_freezing, for_tuning) == mirror.get(advice, advice)


def test_the_printed_rule_names_the_numbers_it_uses():
    assert (verdicts.GAIN, verdicts.ALPHA) == (1.01, 0.05)
    for number in ("at least 1.01", "at most 1/1.01", "below 0.05"):
        assert number in verdicts.RULE


def test_p_is_twice_the_smaller_tail():
    draws = np.array([-1.0, 0, 1, 2, 3, 4, 5, 6, np.nan])
    assert two_sided(draws) == pytest.approx(2 * 3 / 9)
    assert two_sided(-draws) == two_sided(draws)
    assert two_sided(np.zeros(5)) == 1
    assert math.isnan(two_sided(np.empty(0)))


@pytest.fixture
def clear(collected):
    """Cells LL: clearly freeze; LH: clearly both ways; ML: clearly tune; HH: a difference that is chance."""
    accuracies = {("near", 1): (0.4, 0.8), ("near", 10): (0.5, 0.8), ("near", 100): (0.9, 0.5),
                  ("close", 100): (0.5, 0.9), ("mid", 10): (0.8, 0.4), ("far", 100): (0.51, 0.5)}  # fmt: skip
    runs = {(t, n, "T1-7_R8"): [tuned] for (t, n), (tuned, _) in accuracies.items()}
    runs |= {(t, n, "F1-7_R8"): [frozen] for (t, n), (_, frozen) in accuracies.items()}
    return collected(runs, {"near": 0.1, "close": 0.15, "mid": 0.2, "far": 0.4})


def test_each_cell_is_judged_and_compared_with_the_paper(clear):
    table = recommendations(Evidence.read(clear)).set_index(["distance_level", "data_level"])
    assert table.loc[("L", "L"), ["advice", "paper", "agrees"]].tolist() == ["Freeze", "Freeze", "yes"]
    assert table.loc[("L", "H"), ["advice", "paper", "agrees"]].tolist() == [BOTH_WAYS, "Tune", "partly"]
    assert table.loc[("M", "L"), ["advice", "paper", "agrees"]].tolist() == ["Tune", BOTH_WAYS, "partly"]
    assert table.loc[("H", "M"), ["advice", "paper", "agrees"]].tolist() == ["no experiments", "Tune", ""]
    assert table["experiments"].tolist() == [4, 0, 4, 2, 0, 0, 0, 0, 2]
    assert table["targets"].tolist() == [1, 0, 2, 1, 0, 0, 0, 0, 1]
    assert table.loc[("L", "L"), "geometric_mean"] == pytest.approx(math.sqrt(0.5 * 0.625))
    assert set(table["over"]) == {IMAGES_ONLY, ""}
    tested = table["p"].notna()
    assert tested.sum() == 4
    assert table.loc[tested, "p_holm"].tolist() == pytest.approx(holm_by_hand(table.loc[tested, "p"].tolist()))


def holm_by_hand(p):
    """Holm (1979): the k-th smallest of m is multiplied by m - k + 1, and none is smaller than the one before."""
    adjusted, before = [0.0] * len(p), 0.0
    for k, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        before = adjusted[i] = max(before, min(1.0, (len(p) - k) * p[i]))
    return adjusted


@pytest.mark.slow
def test_intervals_of_cells_are_scipys_bootstrap_of_the_paired_images(synthetic):
    evidence = Evidence.read(synthetic)
    table = evidence.results
    one_run = Evidence.of(table[table["run"] == 0].copy(), 4000)
    row = recommendations(one_run).set_index(["distance_level", "data_level"]).loc[("M", "L")]
    chosen = one_run.results[(one_run.results["target"] == "digits") & (one_run.results["n"] < 100)]
    right = {
        (n, mode): np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=200)
        for n, mode, depth, text in chosen[["n", "mode", "depth", "correct"]].itertuples(index=False)
        if depth == 1
    }

    def mean_log_ratio(a, b, c, d, axis=-1):
        return 0.5 * np.log(a.mean(axis) / b.mean(axis) * c.mean(axis) / d.mean(axis))

    columns = [right[n, mode] for n in (1, 10) for mode in "TF"]
    theirs = bootstrap(columns, mean_log_ratio, paired=True, method="percentile", n_resamples=4000, rng=1)
    assert np.log([row.low, row.high]) == pytest.approx(theirs.confidence_interval, abs=0.02)


def test_the_page_marks_where_the_paper_differs(clear, tmp_path):
    write_sheet(table3(Evidence.read(clear)), [tmp_path / "t.md", tmp_path / "t.csv"])
    page = (tmp_path / "t.md").read_text()
    assert "| L (0.0–0.2) | Freeze (4 experiments) " in page
    assert "| Tune (2 experiments; paper: Try Freeze or Tune) |" in page
    assert "intervals and p-values are over test images only." in page
    assert verdicts.RULE in page
    assert pd.read_csv(tmp_path / "t.csv").columns.tolist()[:3] == ["distance_level", "data_level", "pairs"]


def test_pairs_without_a_distance_are_in_no_cell(collected):
    path = collected({("a", 1, "T1-7_R8"): [0.5], ("a", 1, "F1-7_R8"): [0.4]}, {})
    assert set(recommendations(Evidence.read(path))["advice"]) == {"no experiments"}
