"""From JSON to the tidy table and its paired ratios."""

import csv
import json
import logging

import pandas as pd
import pytest

from freeze_or_tune.analysis.results.mixing import protocol
from freeze_or_tune.analysis.results.table import (
    cells,
    collect,
    copy_over_random,
    deeper,
    read_results,
    tune_over_freeze,
)
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.system.errors import UserError

HEADER = (
    "study,source,target,dataset,classes,n,val_per_class,pool,test_per_class,train_images,val_images,"
    "test_images,classes_available,train_available,train_fewest,train_most,test_available,test_fewest,"
    "test_most,scheme,mode,copied,depth,random_part,run,seed,val_accuracy,test_accuracy,"
    "mean_class_accuracy,iterations,best_iteration,cosine,cosine_estimated,mmd,svm,svm_error,cnn,cnn_error,distance_level,"
    "data_level,settings,protocol,versions,seconds,images_per_second,peak_memory_mb,device,correct"
)


def test_a_run_becomes_a_row_with_every_digit(results):
    path = results.experiment("digits", 10, "F1-5_R6-8", [1 / 3], classes=3)
    results.distance("digits", "cosine", 1 / 3)
    results.distance("digits", "svm", 0.875, 0.0123456789012345)
    lines = results.collect().read_text().splitlines()
    digest = json.loads(path.read_text())["digest"]
    settings = Experiment.read(path).settings
    assert lines[0] == HEADER
    assert lines[1:] == [
        "embedded,latin-a,digits,digits-images,3,10,5,all,20,30,15,60,,,,,,,,F1-5_R6-8,F,5,3,R(6-8),0,4611686018427387904,"
        "0.6666666666666667,0.3333333333333333,0.16666666666666666,200,180,0.3333333333333333,,,0.875,0.0123456789012345,,,M,L,"
        f'{digest},{protocol(settings)},"numpy 2.3, torch 2.9",1.5,900.25,12.0,cpu,///wAAAAAAA='
    ]


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


def test_rows_are_in_order_of_target_n_depth_mode_and_run(results):
    for n in (100, 9):
        for scheme in ("F1-3_R4-8", "R1-8", "F1-7_R8", "T1-3_R4-8", "T1-7_R8"):
            results.experiment("zebra", n, scheme, [0.5, 0.6])
    results.experiment("ape", 1, "T1-7_R8", [0.5])
    with results.collect().open() as lines:
        rows = [(r["target"], int(r["n"]), r["scheme"], int(r["run"])) for r in csv.DictReader(lines)]
    order = ["T1-7_R8", "F1-7_R8", "T1-3_R4-8", "F1-3_R4-8", "R1-8"]
    assert rows == [("zebra", n, s, run) for n in (9, 100) for s in order for run in (0, 1)] + [
        ("ape", 1, "T1-7_R8", 0)
    ]


def test_collecting_twice_gives_the_same_bytes(results):
    results.experiment("digits", 10, "T1-7_R8", [0.5])
    first = results.collect().read_bytes()
    assert results.collect().read_bytes() == first


def test_a_second_result_of_the_same_run_is_an_error(results):
    results.experiment("digits", 10, "T1-7_R8", [0.5])
    again = results.experiment("digits", 10, "T1-7_R8", [0.6], name="copy")
    with pytest.raises(UserError, match="target digits, n 10, scheme T1-7_R8, run 0 is in another") as error:
        results.collect()
    assert str(again) in str(error.value)
    assert not results.csv.exists()


def test_an_experiment_edited_by_hand_is_named(results):
    results.experiment("digits", 10, "F1-7_R8", [0.5])
    path = results.experiment("digits", 10, "T1-7_R8", [0.5])
    path.write_text(path.read_text().replace('"learning_rate": 0.01', '"learning_rate": 0.5'))
    with pytest.raises(UserError, match=r"T1-7_R8\.json: its settings are not those it was run with; delete it"):
        results.collect()


@pytest.mark.parametrize("kind", ["experiment", "distance"])
def test_a_truncated_file_is_named(results, kind):
    paths = {
        "experiment": results.experiment("digits", 10, "T1-7_R8", [0.5]),
        "distance": results.distance("digits", "cosine", 0.2),
    }
    paths[kind].write_bytes(paths[kind].read_bytes()[:-40])
    with pytest.raises(UserError, match=f"not a complete {kind} result") as error:
        results.collect()
    assert str(paths[kind]) in str(error.value)


def test_two_distances_of_one_metric_are_an_error(results):
    results.experiment("digits", 10, "T1-7_R8", [0.5])
    results.distance("digits", "cosine", 0.2)
    results.distance("digits", "cosine", 0.3, name="copy")
    with pytest.raises(UserError, match=r"copy\.json: cosine of digits is in another file too"):
        results.collect()


def test_a_distance_from_another_source_is_an_error(results):
    results.experiment("digits", 10, "T1-7_R8", [0.5])
    results.distance("digits", "mmd", 3, source="imagenet")
    with pytest.raises(UserError, match="its source is latin-a, but the mmd distance of digits is from imagenet"):
        results.collect()


def test_nothing_to_collect_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no experiments to collect"):
        collect([], [], tmp_path / "experiments.csv")


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
