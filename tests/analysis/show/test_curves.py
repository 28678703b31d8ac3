"""Learning curves for the report."""

import pytest

from freeze_or_tune.analysis.show.curves import curves, write_curves
from freeze_or_tune.records.experiment import CurvePoint, Experiment


@pytest.mark.slow
def test_a_picture_for_each_target_level_and_scheme(results, tmp_path):
    for n in (1, 10, 50):
        for scheme in ("T1-7_R8", "F1-7_R8"):
            results.experiment("a", n, scheme, [0.5, 0.6])
    write_curves(results.experiments, tmp_path / "curves")
    made = sorted(path.relative_to(tmp_path / "curves").as_posix() for path in tmp_path.glob("curves/*/*/*"))
    assert made == ["a/L/F1-7_R8.png", "a/L/T1-7_R8.png", "a/M/F1-7_R8.png", "a/M/T1-7_R8.png"]


def test_it_shows_each_run_and_what_was_kept(results):
    record = Experiment.read(results.experiment("a", 10, "T1-5_R6-8", [0.5, 0.7]))
    points = tuple(CurvePoint(iteration=i, loss=1.0, val_accuracy=i / 400) for i in (100, 200))
    record = record.model_copy(update={"runs": tuple(run.model_copy(update={"curve": points}) for run in record.runs)})
    (axes,) = curves([record]).axes
    lines = [[list(values) for values in line.get_data()] for line in axes.get_lines()]
    assert lines[:4] == [[[100, 200], [0.25, 0.5]], [[180], [0.5]], [[100, 200], [0.25, 0.5]], [[180], [0.7]]]
    assert axes.get_title() == "a, T(1-5)R(6-8)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["10 images a class"]
