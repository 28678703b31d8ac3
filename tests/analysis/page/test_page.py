import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from freeze_or_tune.analysis.page import gather as module
from freeze_or_tune.analysis.page.content import Page, View
from freeze_or_tune.analysis.page.gather import BEST, ONE_RATE, gather
from freeze_or_tune.analysis.page.write import render, write_page
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.analysis.statistics.verdicts import recommendations
from freeze_or_tune.records.experiment import CurvePoint, Experiment
from freeze_or_tune.system.errors import UserError

from ..conftest import SCHEMES, Results
from ..synthetic import COSINES, searching, sheet, study

SOURCES = {"latin-a": "latin"}


class Texts(HTMLParser):
    """The text of a page outside its scripts and styles, its tags, and the data of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside = ""
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else ""
        if dict(attrs).get("id") == "data":
            self.inside = "data"

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "data":
            self.data += data
        elif not self.inside:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def view(page: Texts, protocol: str = ONE_RATE) -> dict[str, Any]:
    """Experiments and pairs under a protocol: a study without a search has one."""
    return json.loads(page.data)["views"][protocol]


def gathered(results: Results) -> Page:
    return gather(results.csv, results.experiments, [], SOURCES)


def written(results: Results, samples: list[Path] | None = None) -> Texts:
    destination = results.root / "report" / "index.html"
    write_page(results.csv, results.experiments, samples or [], destination, sources=SOURCES)
    return Texts(destination.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Results of the synthetic study, not to be changed."""
    return study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def page(whole: Results) -> Texts:
    return written(whole)


def test_each_experiment_has_the_accuracies_of_its_rows(whole: Results, page: Texts) -> None:
    table = pd.read_csv(whole.csv)
    experiments = view(page)["experiments"]
    assert len(experiments) == len(COSINES) * 3 * len(SCHEMES)
    for shown in experiments:
        rows = table[(table.target == shown["target"]) & (table.n == shown["n"]) & (table.scheme == shown["scheme"])]
        assert shown["accuracies"] == rows.test_accuracy.tolist()
        assert shown["mean"] == pytest.approx(rows.test_accuracy.mean())
        assert shown["low"] <= shown["mean"] <= shown["high"]
        assert 0 < shown["high"] - shown["low"] < 0.2
        assert shown["cosine"] == rows.cosine.iloc[0]


def test_each_experiment_has_its_path_and_the_curves_of_its_file(whole: Results, page: Texts) -> None:
    for shown in view(page)["experiments"]:
        path = Path(shown["path"])
        assert path.parts[-4:] == ("experiments", shown["target"], f"n{shown['n']}", f"{shown['scheme']}.json")
        runs = json.loads(path.read_text())["runs"]
        assert [run["best_iteration"] for run in runs] == [curve["best_iteration"] for curve in shown["curves"]]
        for run, curve in zip(runs, shown["curves"], strict=True):
            assert curve["iterations"] == [point["iteration"] for point in run["curve"]]
            assert curve["val_accuracy"] == pytest.approx([p["val_accuracy"] for p in run["curve"]], abs=5.1e-5)
            assert curve["loss"] == pytest.approx([point["loss"] for point in run["curve"]], rel=1e-3)


@pytest.mark.slow
def test_the_command_names_the_study_unless_it_is_the_default_one(whole: Results, page: Texts) -> None:
    assert json.loads(page.data)["command"] == "snakemake"
    other = gather(whole.csv, whole.experiments, [], SOURCES, ["my study.yaml"])
    assert other.explorable.command == "snakemake --configfile 'my study.yaml'"


def test_pairs_are_tuned_over_frozen_accuracies_of_the_same_split(page: Texts) -> None:
    data = view(page)
    assert len(data["pairs"]) == len(COSINES) * 3
    for pair in data["pairs"]:
        tuned, frozen = data["experiments"][pair["tuned"]], data["experiments"][pair["frozen"]]
        assert (tuned["scheme"], frozen["scheme"]) == ("T1-7_R8", "F1-7_R8")
        assert (tuned["target"], tuned["n"]) == (frozen["target"], frozen["n"])
        assert pair["ratio"] == pytest.approx(tuned["mean"] / frozen["mean"])
        assert pair["low"] <= pair["ratio"] <= pair["high"]


def test_the_answer_counts_the_pairs_whose_interval_leaves_1_out(whole: Results, page: Texts) -> None:
    pairs = Evidence.read(whole.csv).tune_over_freeze()
    better, worse = (pairs["low"] > 1).sum(), (pairs["high"] < 1).sum()
    mean = pairs["ratio"].prod() ** (1 / len(pairs))
    assert 0 < better < 9
    assert f"clearly better in {better} of 9 splits, freezing them in {worse}" in page.words
    assert f"on average {mean:.2f} times" in page.words


@pytest.mark.slow
def test_the_answer_says_freezing_where_freezing_was_better(results: Results) -> None:
    results.experiment("near", 5, "T1-7_R8", [0.4])
    results.experiment("near", 5, "F1-7_R8", [0.8])
    results.distance("near", "cosine", 0.1)
    results.collect()
    assert "Freezing the copied layers was clearly better in 1 of 1 splits" in written(results).words


def test_the_answer_says_neither_where_nothing_is_clear(results: Results) -> None:
    for scheme in SCHEMES[:2]:
        results.experiment("near", 5, scheme, [0.5])
    results.collect()
    assert "Neither was clearly better more often: tuning the copied layers in 0 of 1 splits" in written(results).words


@pytest.mark.parametrize("accuracies", [{"T1-7_R8": [0.5]}, {"T1-7_R8": [0.5], "F1-7_R8": [0.0]}])
def test_a_study_without_pairs_says_so(results: Results, accuracies: dict[str, list[float]]) -> None:
    for scheme, runs in accuracies.items():
        results.experiment("near", 5, scheme, runs)
    results.collect()
    page = written(results)
    assert "No split of this study has both a tuned and a frozen experiment yet" in page.words
    assert view(page)["pairs"] == []
    assert view(page)["experiments"][0]["cosine"] is None  # not NaN, which is no JSON


def test_the_glance_counts_what_there_is(whole: Results, page: Texts) -> None:
    for words in ("Targets 3", "Splits 9", "Experiments 54", "Runs 108, 2 each", "Training took 3 minutes"):
        assert words in page.words
    assert re.search(r"Settings [0-9a-f]{16} ", page.words)
    assert "Trained with numpy 2.3, torch 2.9" in page.words


@pytest.mark.slow
def test_the_hash_is_that_of_the_settings_and_the_date_that_of_the_results(tmp_path: Path) -> None:
    few: dict[str, Any] = {"counts": (5,), "schemes": SCHEMES[:2]}
    one, same = study(tmp_path / "one", **few), study(tmp_path / "same", **few)
    other = study(tmp_path / "other", **few | {"runs": 1})
    os.utime(one.csv, (86_400 * 365, 86_400 * 365))
    assert gathered(one).glance.date == "1971-01-01"
    assert gathered(one).glance.settings == gathered(same).glance.settings
    assert gathered(one).glance.settings != gathered(other).glance.settings


@pytest.mark.slow
def test_the_same_results_give_the_same_page(whole: Results) -> None:
    assert render(gathered(whole)) == render(gathered(whole))


@pytest.mark.slow
def test_cells_are_those_of_table_3(whole: Results) -> None:
    cells = {(cell.distance, cell.data): cell for cell in gathered(whole).verdicts[0].cells}
    table = recommendations(Evidence.read(whole.csv)).set_index(["distance_level", "data_level"])
    assert len(cells) == len(table) == 9
    for place, cell in cells.items():
        row = table.loc[place]
        assert (cell.advice, cell.pairs, cell.paper) == (row.advice, row.pairs, row.paper)
        assert cell.mean == (pytest.approx(row.geometric_mean) if cell.pairs else None)
        assert cell.low == (pytest.approx(row.low) if cell.pairs else None)
    assert cells["H", "H"].advice == "Tune"
    assert cells["L", "M"].pairs == 0


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'\""


@pytest.mark.slow
def test_names_from_files_are_text_and_never_markup(whole: Results) -> None:
    page = gathered(whole)
    shown = (
        page.explorable.views[ONE_RATE]
        .experiments[0]
        .model_copy(update={"target": HOSTILE, "path": HOSTILE, "label": HOSTILE, "scheme": HOSTILE})
    )
    explorable = page.explorable.model_copy(
        update={
            "targets": (HOSTILE,),
            "views": {ONE_RATE: View(experiments=(shown,), pairs=())},
            "schemes": {HOSTILE: HOSTILE},
        }
    )
    dataset = page.datasets[0].model_copy(update={"dataset": HOSTILE, "source_of": (HOSTILE,)})
    glance = page.glance.model_copy(update={"study": HOSTILE, "versions": (HOSTILE,)})
    hostile = page.model_copy(update={"explorable": explorable, "datasets": (dataset,), "glance": glance})
    before, after = Texts(render(page)), Texts(render(hostile))
    assert view(after)["experiments"][0]["path"] == HOSTILE
    assert after.words.count("<script>alert(1)</script>") >= 5
    count = [[tag for tag, _ in texts.tags].count("script") for texts in (before, after)]
    assert count[0] == count[1]
    assert not [attributes for _, attributes in after.tags if "onerror" in attributes]


def test_nothing_of_the_page_lies_elsewhere(page: Texts) -> None:
    addresses = [value for _, attributes in page.tags for key, value in attributes.items() if key in ("src", "href")]
    assert addresses
    assert [value for value in addresses if not str(value).startswith(("#", "data:"))] == []
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'")


@pytest.mark.slow
def test_pictures_stand_beside_the_distances_of_their_dataset(whole: Results, tmp_path: Path) -> None:
    page = written(whole, [sheet(tmp_path / "latin.png"), sheet(tmp_path / "far-off-images.png")])
    pictures = {attributes["alt"]: str(attributes["src"]) for tag, attributes in page.tags if tag == "img"}
    assert set(pictures) == {f"Sample images of {name}, a column a class" for name in ("latin", "far-off-images")}
    assert all(address.startswith("data:image/webp;base64,") for address in pictures.values())
    assert "What the source latin-a learned from." in page.words
    assert "Target far-off of the source latin-a , high distance" in page.words.replace("latin-a,", "latin-a ,")
    assert "cosine distance 0.520 MMD 20.8 linear SVM tells them apart 91.6% CNN tells them apart –" in page.words


@pytest.mark.slow
def test_an_estimated_distance_is_called_that(results: Results, page: Texts) -> None:
    for scheme in ("T1-7_R8", "F1-7_R8"):
        results.experiment("far", 5, scheme, [0.4])
    results.distance("far", "cosine", 0.5, estimated=True)
    results.collect()
    words = written(results).words
    assert "cosine distance, to an estimate of the source's mean 0.500" in words
    assert "the mean of a source whose images were not there is an estimate" in words
    assert "estimate" not in page.words


@pytest.mark.slow
def test_a_picture_keeps_its_colours(tmp_path: Path, whole: Results) -> None:
    from base64 import b64decode  # noqa: PLC0415
    from io import BytesIO  # noqa: PLC0415

    picture = gather(whole.csv, whole.experiments, [sheet(tmp_path / "latin.png")], SOURCES).datasets[0].sheet
    with Image.open(BytesIO(b64decode(str(picture).split(",")[1]))) as image:
        assert image.size == (68, 32)
        assert image.convert("RGB").getpixel((9, 9)) == pytest.approx((200, 120, 40), abs=6)


def test_experiments_of_other_settings_are_refused_by_name(results: Results) -> None:
    results.experiment("near", 5, "T1-7_R8", [0.4])
    results.collect()
    results.experiment("near", 5, "T1-7_R8", [0.4, 0.5])  # another number of runs: other settings
    with pytest.raises(UserError, match=r"experiments.csv does not hold .*target near, n 5, scheme T1-7_R8"):
        gathered(results)


def test_a_table_that_lacks_an_experiment_is_refused(results: Results) -> None:
    results.experiment("near", 5, "T1-7_R8", [0.4])
    results.collect()
    results.experiment("near", 10, "T1-7_R8", [0.4])
    with pytest.raises(UserError, match="target near, n 10"):
        gathered(results)


@pytest.mark.slow
def test_very_many_curves_are_thinned_out_but_keep_their_ends(whole: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CURVE_POINTS", 54 * 2 * 4)
    curves = [curve for shown in gathered(whole).explorable.views[ONE_RATE].experiments for curve in shown.curves]
    assert {curve.iterations for curve in curves} == {(20, 80, 140, 200)}


@pytest.mark.slow
def test_a_page_of_the_papers_size_stays_small(tmp_path: Path) -> None:
    results = study(tmp_path, cosines={f"t{i}": i / 8 for i in range(6)}, counts=(1, 5, 10, 50, 100), runs=3)
    data = gathered(results).explorable.model_dump_json()
    assert len(results.experiments) == 180
    assert len(data) < 500_000


def test_a_study_with_a_search_says_both(results: Results) -> None:
    searched = searching(results)
    destination = results.root / "report" / "index.html"
    write_page(
        results.csv, results.experiments, [], destination, sources=SOURCES, one_rate=searched.one_rate
    )  # fmt: skip
    page = Texts(destination.read_text(encoding="utf-8"))
    best, one_rate = view(page, BEST), view(page)
    assert [pair["ratio"] for pair in best["pairs"]] == pytest.approx([0.9 / 0.6])
    assert [pair["ratio"] for pair in one_rate["pairs"]] == pytest.approx([0.3 / 0.6])
    assert [e["path"] for e in best["experiments"]] == [e["path"] for e in one_rate["experiments"]]
    assert "Tuning the copied layers was clearly better in 1 of 1 splits" in page.words
    assert "Freezing the copied layers was clearly better in 1 of 1 splits" in page.words
    hidden = [attributes.get("data-protocol") for _, attributes in page.tags if "hidden" in attributes]
    assert hidden.count(ONE_RATE) == 2  # the answer and the recommendations
    # Learning curves are those of the candidate that each protocol shows.
    tops = [max(e["curves"][0]["val_accuracy"]) for v in (best, one_rate) for e in v["experiments"] if e["mode"] == "T"]
    assert tops == [0.8, 0.5]


def test_runs_that_may_not_have_converged_are_listed(results: Results) -> None:
    results.experiment("near", 10, "T1-7_R8", [0.95])  # the run's validation accuracy is one minus that: chance
    results.experiment("near", 10, "F1-7_R8", [0.2])
    results.distance("near", "cosine", 0.1)
    results.collect()
    lines = gathered(results).unconverged
    assert [line for line in lines if "at chance" in line] == [
        "T(1-7)R(8) on near, n = 10: loss still falling, at chance"
    ]


@pytest.mark.parametrize(("losses", "falling"), [((1.0, 0.9), False), ((1.0, 0.79), True), ((0.04, 0.01), False)])
def test_a_loss_that_has_all_but_vanished_has_settled(
    results: Results, losses: tuple[float, float], falling: bool
) -> None:
    (run,) = Experiment.read(results.experiment("near", 10, "T1-7_R8", [0.2])).runs
    curve = tuple(CurvePoint(iteration=place, loss=loss, val_accuracy=0.8) for place, loss in enumerate(losses))
    hints = run.model_copy(update={"curve": curve}).unconverged(10, 50)
    assert hints == (("loss still falling",) if falling else ())


def test_what_is_solved_at_once_has_converged(results: Results) -> None:
    record = Experiment.read(results.experiment("near", 10, "F1-7_R8", [0.2]))
    (run,) = record.runs
    last = run.curve[-1].model_copy(update={"val_accuracy": 1.0})
    assert run.model_copy(update={"curve": (last,)}).unconverged(10, 50) == ()
    assert "best at the last look" in run.model_copy(update={"curve": (*run.curve[:-1], last)}).unconverged(10, 50)
