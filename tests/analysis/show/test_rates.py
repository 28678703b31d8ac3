"""Figure 5: accuracy and ratio against the learning rate."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from freeze_or_tune.analysis.results.candidates import read_candidates
from freeze_or_tune.analysis.show.rates import EDGE, draw_rates, rates, rates_data

from ..conftest import Results

TUNED = [(0.01, 0.5, 0.6), (0.03, 0.6, 0.75), (0.1, 0.1, 0.15)]
FROZEN = [(0.01, 0.5, 0.5), (0.03, 0.4, 0.5), (0.1, 0.7, 0.6), (0.3, 0.5, 0.4)]


@pytest.fixture
def candidates(results: Results) -> Path:
    for n in (1, 10):
        results.experiment("near", n, "T1-7_R8", [0, 0], tried=TUNED)
        results.experiment("near", n, "F1-7_R8", [0, 0], tried=FROZEN)
        results.experiment("near", n, "F1-5_R6-8", [0, 0], tried=FROZEN)
    results.distance("near", "cosine", 0.2)
    return results.collect_searched().candidates


def test_its_numbers(candidates: Path) -> None:
    data = rates_data(read_candidates(candidates))
    assert len(data) == 2 * 7
    tuned = data[(data["mode"] == "T") & (data["n"] == 1)].set_index("learning_rate")
    assert tuned["ratio"].to_dict() == pytest.approx({0.01: 1.2, 0.03: 1.5, 0.1: 0.25})
    assert tuned["chosen"].tolist() == [0, 1, 0]
    assert tuned["one_rate"].tolist() == ["yes", "", ""]
    frozen = data[(data["mode"] == "F") & (data["n"] == 10)].set_index("learning_rate")
    assert frozen["chosen"].tolist() == [0, 0, 1, 0]
    assert frozen["test_accuracy"].tolist() == [0.5, 0.5, 0.6, 0.4]
    assert frozen["ratio"].isna().all()


def test_it_shows_each_line_and_what_was_chosen(candidates: Path) -> None:
    figure = draw_rates(read_candidates(candidates))
    above = figure.axes[0]
    lines = [line for line in above.lines if len(line.get_xdata()) > 2]
    assert sorted(len(line.get_xdata()) for line in lines) == [3, 3, 4, 4]  # both are few images
    large = [part for part in above.collections if part.get_sizes().max(initial=0) > 20]
    marked = {tuple(map(float, point)) for part in large for point in part.get_offsets()}
    assert marked == {(0.03, 0.75), (0.1, 0.6)}
    mean = max(figure.axes[len(figure.axes) // 2].lines, key=lambda line: line.get_linewidth())
    assert list(mean.get_ydata()) == pytest.approx([1.2, 1.5, 0.25])


def test_files_are_written_and_the_same_twice(candidates: Path, tmp_path: Path) -> None:
    def made(folder: str) -> list[Path]:
        outputs = [tmp_path / folder / f"fig5.{suffix}" for suffix in ("pdf", "png", "csv", "json")]
        outputs[0].parent.mkdir()
        rates(candidates, outputs)
        return outputs

    first, second = made("a"), made("b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert len(pd.read_csv(first[2])) == 14


def test_without_pairs_it_says_so(results: Results) -> None:
    results.experiment("near", 1, "F1-5_R6-8", [0], tried=FROZEN)
    figure = draw_rates(read_candidates(results.collect_searched().candidates))
    assert "No candidates of R(8)" in [text.get_text() for text in figure.texts]


def test_what_has_no_rate_stands_at_the_edge_and_what_was_stopped_has_no_ratio(results: Results) -> None:
    results.experiment("near", 1, "T1-7_R8", [0, 0], tried=TUNED)
    results.experiment("near", 1, "F1-7_R8", [0, 0], tried=FROZEN)
    table = read_candidates(results.collect_searched("average").candidates)
    tuned = table["scheme"] == "T1-7_R8"
    table.loc[tuned & (table["learning_rate"] == 0.1), "stopped"] = "yes"
    table.loc[tuned & (table["learning_rate"] == 0.03) & (table["run"] == 0), ["stopped", "test_accuracy"]] = ["yes", 0]
    data = rates_data(table).set_index(["mode", "learning_rate"])
    assert data.loc[("T", 0.03), "test_accuracy"].item() == 0.75  # of the run that was trained to its end
    assert data["ratio"].notna().sum() == 2
    unrated = data[data.index.get_level_values("learning_rate").isna()]
    assert unrated["test_accuracy"].tolist() == [1, 1]
    above = draw_rates(table).axes[0]
    points = np.ma.vstack([part.get_offsets() for part in above.collections if len(part.get_offsets())])
    assert np.isclose(points, (0.3 * EDGE, 1)).all(axis=1).sum() == 2


def test_rates_of_another_method_are_lines_of_their_own(results: Results) -> None:
    other = [(0.01, 0.7, 0.9, "adamw"), (0.03, 0.6, 0.7, "adamw")]
    results.experiment("near", 1, "T1-7_R8", [0], tried=[*TUNED, *other])
    results.experiment("near", 1, "F1-7_R8", [0], tried=[*FROZEN, (0.01, 0.5, 0.6, "adamw")])
    table = read_candidates(results.collect_searched("average").candidates)
    assert table["method"].tolist() == [*["sgd"] * 3, "adamw", "adamw", "", *["sgd"] * 4, "adamw", ""]
    data = rates_data(table)
    tuned = data[(data["mode"] == "T") & (data["learning_rate"] == 0.01)].set_index("method")
    assert tuned["ratio"].to_dict() == pytest.approx({"adamw": 1.5, "sgd": 1.2})  # each over its own method's
    figure = draw_rates(table)
    above = figure.axes[0]
    dashed = [line for line in above.lines if line.get_linestyle() == "-." and len(line.get_xdata())]
    assert [list(line.get_ydata()) for line in dashed] == [[0.6], [0.9, 0.7]]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "another method" in labels
    assert "another rate of copied layers" not in labels
