"""The checked table, and its paired ratios."""

import logging

import pandas as pd
import pytest

from freeze_or_tune.analysis.results.table import cells, copy_over_random, deeper, read_results, tune_over_freeze


def test_reading_gives_back_what_was_collected(results):
    results.experiment("digits", 10, "T1-7_R8", [1 / 3, 2 / 3], classes=3)
    results.distance("digits", "mmd", 12.5)
    table = read_results(results.collect())
    assert table["test_accuracy"].tolist() == [1 / 3, 2 / 3]
    assert table["seed"].tolist() == [2**62, 2**62 + 1]
    assert table["cosine"].isna().all()
    assert set(table["distance_level"]) == {""}
    assert set(table["mmd"]) == {12.5}
    assert table["n"].dtype == "int64"


def test_cells_have_mean_and_sample_deviation_over_runs(collected):
    path = collected({("a", 10, "T1-7_R8"): [0.2, 0.4, 0.9], ("a", 10, "F1-7_R8"): [0.5]}, {"a": 0.1})
    tuned, frozen = cells(read_results(path)).itertuples()
    assert tuned.test_accuracy == pytest.approx(0.5)
    assert tuned.test_std == pytest.approx(((0.09 + 0.01 + 0.16) / 2) ** 0.5)
    assert (tuned.runs, frozen.runs) == (3, 1)
    assert pd.isna(frozen.test_std)


def test_ratios_are_of_means_and_paired_by_target_and_n(collected):
    accuracies = {
        ("near", 1, "T1-7_R8"): [0.2, 0.4], ("near", 1, "F1-7_R8"): [0.5, 0.7],
        ("near", 60, "T1-7_R8"): [0.9], ("near", 60, "F1-7_R8"): [0.75],
        ("far", 100, "T1-7_R8"): [0.8], ("far", 100, "F1-7_R8"): [0.64],
        ("far", 500, "T1-7_R8"): [0.8],
        ("far", 100, "T1-5_R6-8"): [0.4], ("far", 100, "T1-3_R4-8"): [0.2], ("far", 100, "F1-3_R4-8"): [0.16],
    }  # fmt: skip
    table = read_results(collected(accuracies, {"near": 0.1, "far": 0.4}))
    pairs = tune_over_freeze(table)
    # 0.3 / 0.6, 0.9 / 0.75, 0.8 / 0.64; n = 500 has no frozen partner.
    assert pairs["ratio"].tolist() == pytest.approx([0.5, 1.2, 1.25])
    columns = ["target", "n", "cosine", "distance_level", "data_level"]
    assert pairs[columns].to_numpy().tolist() == [
        ["near", 1, 0.1, "L", "L"], ["near", 60, 0.1, "L", "M"], ["far", 100, 0.4, "H", "H"],
    ]  # fmt: skip
    assert copy_over_random(table, 3, "T")["ratio"].tolist() == pytest.approx([2.0])
    assert copy_over_random(table, 5, "T")["ratio"].tolist() == pytest.approx([4.0])
    assert copy_over_random(table, 5, "F")["ratio"].tolist() == pytest.approx([4.0])
    assert copy_over_random(table, 3, "F").empty


def test_a_zero_denominator_is_left_out_with_a_warning(collected, caplog):
    accuracies = {
        ("a", 1, "T1-7_R8"): [0.1], ("a", 1, "F1-7_R8"): [0.0], ("a", 5, "T1-7_R8"): [0.0], ("a", 5, "F1-7_R8"): [0.5],
    }  # fmt: skip
    with caplog.at_level(logging.WARNING):
        pairs = tune_over_freeze(read_results(collected(accuracies, {"a": 0.1})))
    assert pairs[["n", "ratio"]].to_numpy().tolist() == [[5, 0.0]]
    assert [r.getMessage() for r in caplog.records] == [
        "a, n 1: F of depth 1 has accuracy 0, so there is no ratio to it"
    ]


def test_deeper_are_the_next_depths_of_schemes_that_copy(collected):
    schemes = ("T1-7_R8", "R1-8", "F1_R2-8", "T1-3_R4-8", "F1-5_R6-8")
    table = read_results(collected({("a", 1, scheme): [0.5] for scheme in schemes}, {}))
    assert deeper(table) == [3, 5]
    assert deeper(table[table["scheme"].isin(["T1-7_R8", "R1-8"])]) == []
