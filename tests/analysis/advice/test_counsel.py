from pathlib import Path

import pytest

from freeze_or_tune.analysis.advice.counsel import advise, counsel, read_evidence
from freeze_or_tune.analysis.advice.markdown import page
from freeze_or_tune.records.advice import Advice, Check, Finding
from freeze_or_tune.records.distances import Distance

from ..conftest import Results

TUNED, FROZEN = "T1-7_R8", "F1-7_R8"
FINDING = Finding(kind="links", words="Links; they are left out", count=2, examples=("'a'", "'b\\n'"))


def check(n: int) -> Check:
    return Check(
        dataset="birds", images=99, classes=4, used_images=90, used_classes=3, train=70, val=10, test=10,
        smallest=n - 1, typical=n, largest=n + 4, findings=(FINDING,),
    )  # fmt: skip


def distance(cosine: float, source: str = "latin-a") -> Distance:
    return Distance(metric="cosine", source=source, target="birds", value=cosine, source_images=9, target_images=9)


@pytest.fixture
def studied(tmp_path: Path) -> Path:
    """Near targets are frozen with little data and tuned with much; far ones are tuned."""
    results = Results(tmp_path / "study")
    for target, cosine, accuracies in (
        ("near", 0.05, {5: (0.5, 0.6), 50: (0.7, 0.7), 200: (0.9, 0.8)}),
        ("mid", 0.3, {5: (0.5, 0.5), 50: (0.7, 0.6), 200: (0.9, 0.7)}),
        ("far", 0.5, {5: (0.6, 0.5), 50: (0.8, 0.6), 200: (0.9, 0.6)}),
    ):
        for n, (tuned, frozen) in accuracies.items():
            results.experiment(target, n, TUNED, [tuned])
            results.experiment(target, n, FROZEN, [frozen])
        results.distance(target, "cosine", cosine)
    return results.collect()


def given(studied: Path, n: int, *cosines: Distance) -> Advice:
    return counsel(check(n), cosines, read_evidence([studied]), {"latin-a": 8, "other": 5})


@pytest.mark.slow
def test_where_paper_and_experiments_agree_it_is_that(studied: Path) -> None:
    frozen = given(studied, 5, distance(0.1))
    assert (frozen.paper, frozen.experiments, frozen.advice, frozen.schemes) == (
        "Freeze",
        "Freeze",
        "Freeze",
        (FROZEN,),
    )
    tuned = given(studied, 150, distance(0.45))
    assert (tuned.paper, tuned.experiments, tuned.advice, tuned.schemes) == ("Tune", "Tune", "Tune", (TUNED,))
    assert (tuned.distance_level, tuned.data_level) == ("H", "H")


def test_where_they_differ_both_are_tried(studied: Path) -> None:
    advice = given(studied, 5, distance(0.45))
    assert (advice.paper, advice.experiments, advice.advice) == ("Try both", "Tune", "Try both")
    assert advice.schemes == (TUNED, FROZEN)


def test_where_nothing_was_studied_the_paper_speaks_alone(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.experiment("near", 5, TUNED, [0.5])
    results.experiment("near", 5, FROZEN, [0.5])
    results.distance("near", "cosine", 0.1)
    advice = given(results.collect(), 150, distance(0.1))
    assert (advice.experiments, advice.advice) == (None, "Tune")
    assert "the recommendation is the paper's alone" in advice.warnings[0]
    text = page(advice, Path("birds.md"))
    assert "says nothing: no pair of them is at these levels, and the paper's word stands alone." in text
    assert "Where the two differ" not in text
    assert advice.forecast is None
    assert advice.no_forecast == "it takes experiments on 3 targets of known distance, there are 1"


def test_the_nearest_source_is_recommended_with_its_own_blocks(studied: Path) -> None:
    advice = given(studied, 150, distance(0.45), distance(0.4, "other"))
    assert (advice.source, advice.distances) == ("other", {"latin-a": 0.45, "other": 0.4})
    assert advice.schemes == ("T1-4_R5",)
    assert advice.warnings == ("No experiment here started from other: what latin-a did is taken to hold for it.",)


@pytest.mark.slow
def test_an_estimated_distance_is_called_that(studied: Path) -> None:
    estimate = distance(0.4, "other").model_copy(update={"estimated": True})
    advice = given(studied, 150, distance(0.45), estimate)
    assert advice.estimated == ("other",)
    assert "to other, the nearest source (its mean features are an estimate) | 0.400" in page(advice, Path("birds.md"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "cosine", "words"),
    [
        (3, 0.3, ["Images a class: 3 lies outside what was studied here (5 to 200)"]),
        (900, 0.3, ["Images a class: 900 lies outside"]),
        (50, 0.61, ["Distance: 0.61 lies outside what was studied here (0.05 to 0.5)"]),
        (5, 0.3, []),
    ],
)
def test_leaving_what_was_studied_is_said(studied: Path, n: int, cosine: float, words: list[str]) -> None:
    warnings = given(studied, n, distance(cosine)).warnings
    assert len(warnings) == len(words)
    assert all(text.startswith(word) for text, word in zip(warnings, words, strict=True))


def test_a_forecast_that_cannot_tell_which_is_better_says_so(studied: Path) -> None:
    advice, words = given(studied, 50, distance(0.45)), "cannot tell which is better"
    assert advice.forecast is not None
    for low, high, unsure in ((0.9, 1.5, True), (1.1, 1.5, False), (0.5, 0.9, False)):
        forecast = advice.forecast.model_copy(update={"low": low, "high": high})
        assert (words in page(advice.model_copy(update={"forecast": forecast}), Path("birds.md"))) == unsure


@pytest.mark.slow
def test_the_files_say_the_same(studied: Path, tmp_path: Path) -> None:
    check(50).write(tmp_path / "check.json")
    distance(0.45).write(tmp_path / "distance.json")
    out = {suffix: tmp_path / f"birds.{suffix}" for suffix in ("json", "md", "pdf", "png")}
    advise(
        tmp_path / "check.json", [tmp_path / "distance.json"], [studied], {"latin-a": 8},
        out["json"], out["md"], [out["pdf"], out["png"]],
    )  # fmt: skip
    advice, text = Advice.read(out["json"]), out["md"].read_text()
    assert advice.forecast is not None
    assert advice.forecast.low < advice.forecast.ratio < advice.forecast.high
    assert advice.evidence == (str(studied),)
    for words in (
        "# Freeze or tune: birds", "**Fine-tune.**", "`T1-7_R8` (T(1-7)R(8))", "| 0.450: high (0.4–1.0)",
        "| Training images a class, the median (49 to 54)", "| 50: medium (21–99)", f"({studied}) says: **Tune**",
        f"should be {advice.forecast.ratio:.2f}", f"factor of {advice.forecast.typical_error:.2f}", "only 3 targets",
        "90 of 99 images in 3 of 4 classes are used: 70 to train", "- Links; they are left out: 2, such as 'a', 'b\\n'",
        "(birds.png)", f"predict {tmp_path}/birds/model.safetensors photo.jpg",
    ):  # fmt: skip
        assert words in text, text
    assert out["png"].read_bytes().startswith(b"\x89PNG")
    assert out["pdf"].read_bytes().startswith(b"%PDF")


def test_targets_of_several_studies_are_told_apart(studied: Path, tmp_path: Path) -> None:
    both = read_evidence([studied, studied])
    assert set(both.results["target"]) == {"embedded:near", "embedded:mid", "embedded:far"}
    assert set(read_evidence([studied]).results["target"]) == {"near", "mid", "far"}
