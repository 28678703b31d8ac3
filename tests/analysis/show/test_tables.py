"""Tables 1-3: numbers checked by hand, by brute force, and against the paper."""

from itertools import combinations, product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freeze_or_tune.analysis.show import tables
from freeze_or_tune.analysis.show.sheets import write_sheet
from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.records.tallies import SplitTally, Tally
from freeze_or_tune.study.settings import SplitSettings
from freeze_or_tune.system.errors import UserError


@pytest.fixture
def written(tmp_path):
    """Write a table from a CSV; return the CSV as a frame of text, and the lines of the Markdown."""

    def write(table, results_csv):
        csv, markdown = tmp_path / "out" / "t.csv", tmp_path / "out" / "t.md"
        write_sheet(table(Evidence.read(results_csv)), [csv, markdown])
        return pd.read_csv(csv, dtype=str, keep_default_na=False), markdown.read_text(encoding="utf-8").splitlines()

    return write


def grid(lines, first):
    """Cells of the Markdown table whose header starts with `first`, without its header."""
    start = next(i for i, line in enumerate(lines) if line.startswith("|") and line.split("|")[1].strip() == first)
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_table1_lists_each_target_with_its_splits(results, written):
    for n in (60, 1, 10):
        results.experiment("greek", n, "T1-7_R8", [0.5], classes=24)
        results.experiment("greek", n, "F1-7_R8", [0.5], classes=24)
    results.experiment("digits", 5, "T1-7_R8", [0.5])
    csv, lines = written(tables.table1, results.collect())
    columns = ["target", "n", "classes", "val_per_class", "pool", "test_per_class", "train_images"]
    assert csv[columns].to_numpy().tolist() == [
        ["greek", "1", "24", "5", "all", "20", "24"],
        ["greek", "10", "24", "5", "all", "20", "240"],
        ["greek", "60", "24", "5", "all", "20", "1440"],
        ["digits", "5", "10", "5", "all", "20", "50"],
    ]
    assert grid(lines, "target") == [
        ["greek", "latin-a", "greek-images", "24", "5", "20", "1, 10, 60"],
        ["digits", "latin-a", "digits-images", "10", "5", "20", "5"],
    ]


def test_table1_counts_what_was_asked_for_available_and_used(results, written):
    official = SplitSettings(dataset="cub", seed=0, n=35, val=2, test=0, pool="official", up_to=True)
    results.experiment("cub", 35, "T1-7_R8", [0.5], split=official)
    results.count("cub", 35, SplitTally(
        classes_available=12, classes_used=10,
        train=Tally(asked=35, available=29, fewest=27, most=28, images=350),
        val=Tally(asked=2, available=29, fewest=2, most=2, images=20),
        test=Tally(asked=None, available=11, fewest=11, most=30, images=200),
    ))  # fmt: skip
    csv, lines = written(tables.table1, results.collect())
    row = csv.iloc[0]
    assert row[["train_available", "train_fewest", "train_most"]].tolist() == ["29", "27", "28"]
    assert row[["test_available", "test_fewest", "test_most", "pool"]].tolist() == ["11", "11", "30", "official"]
    assert grid(lines, "target") == [["cub", "latin-a", "cub-images", "10 of 12", "2", "*", "35"]]
    assert "| cub | 35 | 29 | 27 – 28 | 11 | 11 – 30 | 350 | 50 | 200 |" in [" ".join(line.split()) for line in lines]


def test_a_split_that_was_drawn_anew_is_not_counted_for_old_results(results):
    results.experiment("greek", 10, "T1-7_R8", [0.5])
    counts = Tally(asked=10, available=40, fewest=10, most=10, images=99)
    results.count("greek", 10, SplitTally(classes_available=10, classes_used=10, train=counts, val=counts, test=counts))
    with pytest.raises(UserError, match=r"T1-7_R8\.json: its split has other images by now; delete it"):
        results.collect()


def test_table2_is_sorted_by_cosine_and_ends_with_the_papers_rows(results, written):
    for target in ("far", "unmeasured", "near"):
        results.experiment(target, 1, "T1-7_R8", [0.5])
    results.distance("far", "cosine", 0.45)
    results.distance("near", "cosine", 0.0305)
    results.distance("near", "mmd", 2)
    results.distance("near", "svm", 0.875, 0.0149)
    results.distance("near", "cnn", 0.5, 0.02)
    csv, lines = written(tables.table2, results.collect())
    assert csv["target"].tolist() == [
        "near", "far", "unmeasured", "Yosinski", "Caltech-256", "SUN397", "MIT-Indoor", "CUB-200", "Coral", "Plankton",
    ]  # fmt: skip
    assert csv["measured_by"].tolist() == ["embedded"] * 3 + ["Chu et al. 2016"] * 7
    assert csv.iloc[0, 1:7].tolist() == ["0.0305", "2.0", "0.875", "0.0149", "0.5", "0.02"]
    assert csv.iloc[2, 1:7].tolist() == [""] * 6
    rows = grid(lines, "target")
    assert rows[0] == ["near", "0.030", "2.00", "87.5 ± 1.5", "50.0 ± 2.0", "embedded"]
    assert rows[1] == ["far", "0.450", "–", "–", "–", "embedded"]
    assert rows[2] == ["unmeasured", "–", "–", "–", "–", "embedded"]
    assert rows[4] == ["Caltech-256", "0.071", "10.6", "71.4", "69.0", "Chu et al. 2016"]
    assert len(rows) == 10


def test_table2_prints_the_papers_own_inversion(results, written):
    results.experiment("only", 1, "T1-7_R8", [0.5])
    results.distance("only", "cosine", 0.45)
    _, lines = written(tables.table2, results.collect())
    # SVM: Coral and Plankton are swapped, one of 21 pairs: (20 - 1) / 21.
    assert grid(lines, "measured by") == [
        ["embedded", "1", "–", "–", "–"],
        ["Chu et al. 2016", "7", "1.000", "0.905", "1.000"],
    ]


def brute_tau(x, y):
    """Kendall's tau without ties: concordant less discordant pairs, over all pairs."""
    signs = [(x[i] - x[j]) * (y[i] - y[j]) for i, j in combinations(range(len(x)), 2)]
    return sum(1 if s > 0 else -1 for s in signs) / len(signs)


@pytest.mark.slow
@settings(deadline=None)  # pandas' first frames take their time on a busy machine
@given(st.permutations(range(6)), st.permutations(range(6)), st.permutations(range(6)))
def test_agreement_is_kendalls_tau(mmd, svm, cnn):
    table = pd.DataFrame({"cosine": range(6), "mmd": mmd, "svm": svm, "cnn": cnn, "measured_by": "us"}, dtype=object)
    row = tables.agreement(table.infer_objects()).iloc[0]
    assert row[["MMD", "linear SVM", "CNN"]].tolist() == pytest.approx(
        [brute_tau(range(6), m) for m in (mmd, svm, cnn)]
    )


def test_agreement_leaves_out_targets_without_a_metric():
    table = pd.DataFrame({
        "cosine": [0.1, 0.2, 0.3, None], "mmd": [1, 3, 2, 0], "svm": [0.9, None, 0.8, 0.1], "cnn": [0.5, None, None, 1],
        "measured_by": "us",
    })  # fmt: skip
    row = tables.agreement(table).iloc[0]
    assert row["MMD"] == pytest.approx(1 / 3)
    assert row["linear SVM"] == -1
    assert pd.isna(row["CNN"])


def test_the_papers_numbers_are_those_of_its_text():
    assert [row[1:] for row in paper.DISTANCES] == [
        (0.003, 2.3, 0.573, 0.51), (0.071, 10.6, 0.714, 0.69), (0.194, 17.8, 0.815, 0.764), (0.307, 23.9, 0.9, 0.845),
        (0.358, 37.2, 0.929, 0.865), (0.455, 38.7, 0.973, 0.994), (0.534, 39.1, 0.972, 0.997),
    ]  # fmt: skip
    assert list(paper.ADVICE) == list(product("LMH", "LMH"))
    assert [paper.ADVICE["L", data] for data in "LMH"] == ["Freeze", "Try Freeze or Tune", "Tune"]
    assert [paper.ADVICE["M", data] for data in "LMH"] == ["Try Freeze or Tune", "Tune", "Tune"]
    assert [paper.ADVICE["H", data] for data in "LMH"] == ["Try Freeze or Tune", "Tune", "Tune"]
    assert list(paper.DISTANCE_RANGES.values()) == ["0.0–0.2", "0.2–0.4", "0.4–1.0"]
    assert list(paper.DATA_RANGES.values()) == ["1–20", "21–99", "≥ 100"]


@pytest.mark.parametrize("table", [tables.table2, tables.table3])
def test_estimated_distances_are_called_so(results, written, table):
    for target in ("near", "far"):
        for scheme in ("T1-7_R8", "F1-7_R8"):
            results.experiment(target, 10, scheme, [0.5])
    results.distance("near", "cosine", 0.1)
    results.distance("far", "cosine", 0.5, estimated=True)
    _, lines = written(table, results.collect())
    assert [line for line in lines if "is to an estimate" in line] == [lines[-1]]
    assert lines[-1].startswith("The cosine distance of far is to an estimate")
