from pathlib import Path

import pytest

from freeze_or_tune.analysis.advice.counsel import counsel
from freeze_or_tune.analysis.advice.evidence import read_evidence
from freeze_or_tune.analysis.advice.markdown import page
from freeze_or_tune.analysis.advice.weighing import decided
from freeze_or_tune.analysis.advice.words import reason, verdict
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.records.advice import Advice, Forecast

from ..conftest import Results
from .own import check, distance, forecast, profile, race, raced

TUNED, FROZEN = "T1-7_R8", "F1-7_R8"
BLOCKS = {"latin-a": 8, "other": 5}


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Near targets are frozen with little data and tuned with much; far ones are tuned."""
    results = Results(tmp_path_factory.mktemp("study"))
    for target, cosine, accuracies in (
        ("near", 0.05, {5: (0.5, 0.6), 50: (0.7, 0.7), 200: (0.9, 0.8)}),
        ("mid", 0.3, {5: (0.5, 0.5), 50: (0.7, 0.6), 200: (0.9, 0.7)}),
        ("far", 0.5, {5: (0.6, 0.5), 50: (0.8, 0.6), 200: (0.9, 0.6)}),
    ):
        for n, (tuned, frozen) in accuracies.items():
            results.experiment(target, n, TUNED, [tuned])
            results.experiment(target, n, FROZEN, [frozen])
        results.distance(target, "cosine", cosine)
    return read_evidence([results.collect()])


def given(studied: Evidence, n: int, cosine: float) -> Advice:
    """The advice by experiments alone."""
    return counsel(check(n), [profile("latin-a")], [distance(cosine)], None, studied, BLOCKS, ("table.csv",))


def test_without_a_race_where_paper_and_experiments_agree_it_is_that(studied: Evidence) -> None:
    frozen = given(studied, 5, 0.1)
    assert (frozen.paper, frozen.experiments, frozen.advice) == ("Freeze", "Freeze", "Freeze")
    assert frozen.schemes == (FROZEN,)
    tuned = given(studied, 150, 0.45)
    assert (tuned.paper, tuned.experiments, tuned.advice, tuned.schemes) == ("Tune", "Tune", "Tune", (TUNED,))
    assert (tuned.distance_level, tuned.data_level) == ("H", "H")
    assert (verdict(tuned), reason(tuned)) == (
        "Fine-tune", "Copy all blocks of latin-a but the last and tune them; the last starts from random values.",
    )  # fmt: skip


def test_without_a_race_where_they_differ_both_are_tried(studied: Evidence) -> None:
    advice = given(studied, 5, 0.45)
    assert (advice.paper, advice.experiments, advice.advice) == ("Try both", "Tune", "Try both")
    assert advice.schemes == (TUNED, FROZEN)
    assert "let validation decide" in reason(advice)


@pytest.mark.parametrize(
    ("foreseen", "expected"),
    [((1.1, 1.5), "Tune"), ((0.5, 0.9), "Freeze"), ((0.9, 1.2), "Try both")],
)
def test_a_forecast_that_is_sure_comes_before_the_tables(foreseen: tuple[float, float], expected: str) -> None:
    assert decided("Freeze", "Freeze", forecast(*foreseen)) == expected


def test_the_source_is_the_one_whose_features_tell_most_however_far_it_is(studied: Evidence) -> None:
    both = [profile("latin-a", 0.6, 0.7), profile("other", 0.5, 0.9)]
    far = [distance(0.1), distance(0.6, "other")]
    advice = counsel(check(150), both, far, None, studied, BLOCKS)
    assert (advice.source, advice.distances) == ("other", {"latin-a": 0.1, "other": 0.6})
    assert [one.source for one in advice.profiles] == ["other", "latin-a"]
    assert advice.schemes == ("T1-4_R5",)
    assert advice.warnings == ()


def test_a_source_without_a_distance_is_advised_on_all_the_same(studied: Evidence) -> None:
    advice = counsel(check(5), [profile("other")], [], None, studied, BLOCKS)
    assert (advice.distance_level, advice.paper, advice.experiments, advice.advice) == (None, None, None, "Try both")
    text = page(advice, Path("birds.md"), "snakemake")
    assert "There is no distance: it takes images of a source, or its mean features." in text
    assert "Table 3" not in text


def test_the_race_decides_and_is_told_with_its_numbers(studied: Evidence) -> None:
    won = race(raced(FROZEN, 0.82, 300, 4), raced(TUNED, 0.79, 300, 185, 0.03, -0.01, 0.07), verdict="level")
    advice = counsel(check(150), [profile("latin-a")], [distance(0.45)], won, studied, BLOCKS)
    assert (advice.paper, advice.advice, advice.schemes) == ("Tune", "Freeze", (FROZEN,))
    assert verdict(advice) == "Freeze"
    assert reason(advice) == (
        "Frozen 82 % (77 to 86) of 300 images are right, tuned 79 %; the difference is +3.0 points (-1.0 to +7.0): "
        "level, and frozen trains in 4 s, not 3 min."
    )


def test_an_open_race_says_so_and_what_would_tell(studied: Evidence) -> None:
    won = race(
        raced(TUNED, 0.84, 90, 60), raced(FROZEN, 0.81, 90, 2, 0.03, -0.04, 0.1), verdict="open", more_images=410
    )
    advice = counsel(check(5), [profile("latin-a")], [distance(0.1)], won, studied, BLOCKS)
    assert verdict(advice) == "Fine-tune, as far as these images can say"
    assert reason(advice).endswith("these images cannot say which is better, some 410 more to test on might.")


def test_a_clear_race_is_better(studied: Evidence) -> None:
    won = race(raced(TUNED, 0.9, 90, 60), raced(FROZEN, 0.7, 90, 2, 0.2, 0.11, 0.28), verdict="better")
    advice = counsel(check(5), [profile("latin-a")], [distance(0.1)], won, studied, BLOCKS)
    assert reason(advice).endswith("the difference is +20.0 points (+11.0 to +28.0): better.")


def test_why_there_was_no_race_is_said(studied: Evidence) -> None:
    none = race(left_out="one round takes some 9 minutes here")
    advice = counsel(check(5), [profile("latin-a")], [distance(0.1)], none, studied, BLOCKS)
    assert (advice.measured, advice.advice) == (None, "Freeze")
    text = page(advice, Path("birds.md"), "snakemake")
    assert "There was no race: one round takes some 9 minutes here." in text
    assert "There was no race: `budget: 0`." in page(given(studied, 5, 0.1), Path("birds.md"), "snakemake")


def test_features_that_say_little_are_a_warning(studied: Evidence) -> None:
    def warned(*profiles: object) -> tuple[str, ...]:
        return counsel(check(5), profiles, [], None, studied, BLOCKS).warnings  # type: ignore[arg-type]

    (chance,) = warned(profile("latin-a", 0.3, 0.35))
    assert chance.startswith("What latin-a makes of these images hardly tells them apart (35 % at best, 33 % by ")
    (fallen,) = warned(profile("latin-a", 0.9, 0.6))
    assert fallen.startswith("Block 1 of latin-a tells these images apart better than its features do (90 % against 60")
    (close,) = warned(profile("latin-a", 0.8, 0.82), profile("other", 0.8, 0.81))
    assert close == "The probe can hardly tell latin-a from other: they may be as good a start."


def test_the_page_for_people(studied: Evidence) -> None:
    won = race(raced(FROZEN, 0.82, 300, 4), raced(TUNED, 0.79, 300, 185, 0.03, -0.01, 0.07), verdict="level")
    estimate = distance(0.45).model_copy(update={"estimated": True})
    advice = counsel(check(50), [profile("latin-a")], [estimate], won, studied, BLOCKS, ("a.csv", "b.csv"))
    text = page(advice, Path("results/advice/birds.md"), "freeze-or-tune model 'my birds'")
    for words in (
        "# Freeze or tune: birds", "**Freeze.** Frozen 82 %", "`F1-7_R8` (F(1-7)R(8))", "| 0.450 (estimate) ",
        "At this distance (high, 0.4–1.0) and with so many images a class (50: medium, 21–99) Table 3 of Chu et al. "
        "2016 says **Tune**; the same table of experiments (a.csv, b.csv) says **Tune**",
        "| `T1-7_R8` | 79.0 %  | ", "+3.0 (-1.0 to +7.0)",
        "it takes experiments on 5 datasets with probes, there are 0",
        "90 of 99 images in 3 of 4 classes are used: 70 to train", "- Links; they are left out: 2, such as 'a', 'b\\n'",
        "(birds.png)", "freeze-or-tune model 'my birds'\n",
        "predict results/advice/birds/model.safetensors photo.jpg",
    ):  # fmt: skip
        assert words in text, text


def test_a_forecast_is_printed_with_its_interval(studied: Evidence) -> None:
    foreseen = Forecast.model_validate(forecast(1.1, 1.5).model_dump())
    text = page(given(studied, 50, 0.45).model_copy(update={"forecast": foreseen}), Path("b.md"), "snakemake")
    assert "should be 1.30, and between 1.10 and 1.50 (95 % interval), by a regression on 9 pairs" in text


def test_targets_of_several_studies_are_told_apart(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.experiment("near", 5, TUNED, [0.5])
    csv = results.collect()
    assert set(read_evidence([csv, csv]).results["target"]) == {"embedded:near"}
    assert set(read_evidence([csv]).results["target"]) == {"near"}
