"""From JSON to the tidy table."""

import csv
import json

import pytest

from freeze_or_tune.analysis.results.collecting import collect
from freeze_or_tune.analysis.results.mixing import protocol
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.system.errors import UserError

HEADER = (
    "study,source,target,dataset,classes,n,val_per_class,pool,test_per_class,train_images,val_images,"
    "test_images,classes_available,train_available,train_fewest,train_most,test_available,test_fewest,"
    "test_most,scheme,mode,copied,frozen,variant,depth,random_part,run,seed,val_accuracy,test_accuracy,"
    "mean_class_accuracy,iterations,best_iteration,cosine,cosine_estimated,mmd,svm,svm_error,cnn,cnn_error,probe,probe_neighbours,probe_best,distance_level,"
    "data_level,settings,protocol,versions,seconds,images_per_second,peak_memory_mb,device,correct"
)


def test_a_run_becomes_a_row_with_every_digit(results):
    path = results.experiment("digits", 10, "F1-5_R6-8", [1 / 3], classes=3)
    results.distance("digits", "cosine", 1 / 3)
    results.distance("digits", "svm", 0.875, 0.0123456789012345)
    results.probe("digits", 10, 0.5, 0.875, 0.75)
    lines = results.collect().read_text().splitlines()
    digest = json.loads(path.read_text())["digest"]
    settings = Experiment.read(path).settings
    assert lines[0] == HEADER
    assert lines[1:] == [
        "embedded,latin-a,digits,digits-images,3,10,5,all,20,30,15,60,,,,,,,,F1-5_R6-8,F,5,5,,3,R(6-8),0,4611686018427387904,"
        "0.6666666666666667,0.3333333333333333,0.16666666666666666,200,180,0.3333333333333333,,,0.875,0.0123456789012345,,,0.75,0.375,0.875,M,L,"
        f'{digest},{protocol(settings)},"numpy 2.3, torch 2.9",1.5,900.25,12.0,cpu,///wAAAAAAA='
    ]


def test_rows_are_in_order_of_target_n_random_and_frozen_blocks_variant_and_run(results):
    for n in (100, 9):
        for scheme in ("F1-3_R4-8", "R1-8", "F1-7_R8", "T1-7_R8b", "F1-2_T3-7_R8", "T1-3_R4-8", "T1-7_R8"):
            results.experiment("zebra", n, scheme, [0.5, 0.6])
    results.experiment("ape", 1, "T1-7_R8", [0.5])
    with results.collect().open() as lines:
        rows = [(r["target"], int(r["n"]), r["scheme"], int(r["run"])) for r in csv.DictReader(lines)]
    order = ["T1-7_R8", "T1-7_R8b", "F1-2_T3-7_R8", "F1-7_R8", "T1-3_R4-8", "F1-3_R4-8", "R1-8"]
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
