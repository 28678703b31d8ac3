"""Figure 6 and table 4: how many of the copied blocks to freeze."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from freeze_or_tune.analysis.show.depths import best_depths, depths, depths_data, has_depths, table4
from freeze_or_tune.analysis.show.plot import plot
from freeze_or_tune.analysis.statistics.intervals import Evidence

from ..conftest import Results

ALONG = ("T1-7_R8", "F1-2_T3-7_R8", "F1-5_T6-7_R8", "F1-7_R8")
OTHERS = ("T1-5_R6-8", "F1-2_T3-5_R6-8", "T1-7_R8b", "R1-8")
# By target and images a class: test accuracies of ALONG; validation accuracy is one less that of the test.
TRIED = {
    ("near", 1): (0.5, 0.6, 0.7, 0.6),  # best: 5/7; validation takes T, between the ends T: no gain
    ("near", 50): (0.7, 0.6, 0.65, 0.75),  # best: 1; validation takes F1-2, between the ends T: a loss of 10 points
    ("far", 50): (0.8, 0.8, 0.9, 0.9),  # best: 6/7 on average; of T and F1-2 validation takes F1-2, which freezes more
}
Collected = Callable[[Mapping[tuple[str, int, str], list[float]], Mapping[str, float]], Path]


@pytest.fixture
def evidence(collected: Collected) -> Evidence:
    tried = {
        (target, n, scheme): [value, value]
        for (target, n), values in TRIED.items()
        for scheme, value in zip(ALONG, values, strict=True)
    }
    tried |= {("near", 1, scheme): [0.9, 0.9] for scheme in OTHERS}
    tried |= {("ends", 1, scheme): [0.9, 0.9] for scheme in ("T1-7_R8", "F1-7_R8")}
    return Evidence.read(collected(tried, {"near": 0.1, "far": 0.5, "ends": 0.3}))


def test_its_numbers_are_those_of_one_random_block_from_all_tuned_to_all_frozen(evidence: Evidence) -> None:
    data = depths_data(evidence)
    near = data[(data["target"] == "near") & (data["n"] == 1)]
    assert near["scheme"].tolist() == list(ALONG)
    assert near["frozen"].tolist() == [0, 2, 5, 7]
    assert near["test_accuracy"].tolist() == pytest.approx(TRIED["near", 1])
    assert list(dict.fromkeys(data["target"])) == ["near", "ends", "far"]


def test_where_the_best_depth_lies_and_what_choosing_it_gains(evidence: Evidence) -> None:
    """Splits of which only the ends were tried say nothing."""
    found = best_depths(evidence)
    assert found[["target", "n"]].to_numpy().tolist() == [["near", 1], ["near", 50], ["far", 50]]
    assert found["best"].tolist() == pytest.approx([5 / 7, 1, 6 / 7])
    assert found["chosen"].tolist() == ["T1-7_R8", "F1-2_T3-7_R8", "F1-2_T3-7_R8"]
    assert found["end"].tolist() == ["T1-7_R8", "T1-7_R8", "T1-7_R8"]
    assert found["gain"].tolist() == pytest.approx([0, -0.1, 0])
    table = table4(evidence).data.set_index(["distance_level", "data_level"])
    assert table.index.tolist() == [("L", "L"), ("L", "M"), ("H", "M"), ("all", "all")]
    assert table["splits"].tolist() == [1, 1, 1, 3]
    assert table["experiments"].tolist() == [4, 4, 4, 12]
    assert table["best_median"].tolist() == pytest.approx([5 / 7, 1, 6 / 7, 6 / 7])
    assert table["gain"].tolist() == pytest.approx([0, -0.1, 0, -0.1 / 3])
    assert (table["gain_low"] <= table["gain"]).all()
    assert (table["gain_high"] >= table["gain"]).all()
    assert table.loc[("L", "L"), ["gain_low", "gain_high"]].tolist() == [0, 0]  # the same scheme


def test_the_interval_is_that_of_other_test_images(evidence: Evidence) -> None:
    """Of the difference of two accuracies on the same 200 images, 140 and 120 of which are right, and the first too."""
    row = table4(evidence).data.set_index(["distance_level", "data_level"]).loc[("L", "M")]
    error = np.sqrt((0.1 - 0.1**2) / 200)
    assert row["gain_low"] == pytest.approx(-0.1 - 1.96 * error, abs=0.01)
    assert row["gain_high"] == pytest.approx(-0.1 + 1.96 * error, abs=0.01)


def test_whether_it_moves_is_spearmans_correlation(evidence: Evidence) -> None:
    words = table4(evidence).page[-1]
    rho = spearmanr([0.1, 0.1, 0.5], [5 / 7, 1, 6 / 7]).statistic
    assert f"{rho:+.2f} with cosine distance (p = " in words
    assert "3 splits" in words


def test_the_figure_has_a_panel_a_target_and_a_line_a_split(evidence: Evidence) -> None:
    figure = depths(evidence)
    assert [axes.get_title().split()[0] for axes in figure.axes] == ["near", "ends", "far"]
    near = figure.axes[0]
    lines = [line for line in near.lines if len(line.get_xdata()) == 4]
    assert [list(line.get_xdata()) for line in lines[:1]] == [[0, 2, 5, 7]]
    assert [text.get_text() for text in near.texts] == ["n = 1", "n = 50"]
    assert all(0 <= tick <= 7 for tick in near.get_xticks())


def test_without_anything_between_there_is_neither(results: Results, tmp_path: Path) -> None:
    for scheme in (*ALONG[::3], *OTHERS):
        results.experiment("near", 1, scheme, [0.5])
    results.distance("near", "cosine", 0.1)
    csv = results.collect()
    evidence = Evidence.read(csv)
    assert not has_depths(evidence.results)
    assert table4(evidence).data.empty
    assert "There is no split" in str(table4(evidence).page)
    plot(csv, tmp_path / "out")
    assert {path.stem for path in (tmp_path / "out").rglob("*.csv")} == {
        *(f"fig{number}" for number in (1, 2, 3, 4)), *(f"table{number}" for number in (1, 2, 3))
    }  # fmt: skip


def test_plot_draws_them_where_there_is_something_between(evidence: Evidence, tmp_path: Path, results: Results) -> None:
    plot(results.csv, tmp_path / "out")
    shown = pd.read_csv(tmp_path / "out/figures/fig6.csv")
    assert len(shown) == 4 * 3 + 2
    assert (tmp_path / "out/figures/fig6.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "out/tables/table4.tex").exists()
    assert set(pd.read_csv(tmp_path / "out/figures/fig3.csv")["scheme"]) == {
        "T1-7_R8", "F1-7_R8", "T1-5_R6-8", "R1-8"
    }  # fmt: skip
    assert len(pd.read_csv(tmp_path / "out/figures/fig2.csv")) == 4  # a variant is not T(1-7)R(8)
