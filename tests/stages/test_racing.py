from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from freeze_or_tune.analysis.statistics.paired import decide
from freeze_or_tune.data.index import read_index
from freeze_or_tune.data.own.folds import FOLDS, draw_fold
from freeze_or_tune.data.own.shares import draw_shares
from freeze_or_tune.data.splits import Row, read_rows, write_split
from freeze_or_tune.data.store import build_store
from freeze_or_tune.records.correctness import unpack
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.records.race import Race
from freeze_or_tune.stages import racing, work
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.stages.racing import race
from freeze_or_tune.stages.work import Start, Work
from freeze_or_tune.study.schemes import Scheme, depths
from freeze_or_tune.study.settings import Advising, SplitSettings, TrainingSettings
from freeze_or_tune.study.solver import Search, Solver, TunedGrid
from freeze_or_tune.system.errors import UserError
from tests.analysis.advice.own import profile
from tests.stages.files import CPU, SIZES, SOLVER, Files

SCHEMES = ("T1-7_R8", "F1-7_R8")
ADVISING = Advising()


def settings(source: str, solver: Solver = SOLVER) -> list[TrainingSettings]:
    split = SplitSettings(dataset="digits", seed=0, n=0, val=0, test=0, pool="shares")
    return [
        TrainingSettings(
            study="test", target="digits", dataset="digits", source=source, network=SIZES, split=split, scheme=scheme,
            seed=0, runs=1, solver=solver,
        )
        for scheme in SCHEMES
    ]  # fmt: skip


class Grounds:
    """Where races are run: one's own images, parted, and two sources, of which `letters` tells more."""

    def __init__(self, files: Files, folder: Path) -> None:
        listings = read_index(files.folder / "digits-index.csv")
        store, index = folder / "all.npy", files.folder / "digits-index.csv"
        build_store([files.folder / "digits-images"], index, None, dataset="d", size=48, destination=store, threads=1)
        self.rows = draw_shares(listings, dataset="digits", seed=0, val=0.2, test=0.2, most=100)
        self.folder, self.split, self.start = folder, folder / "split.csv", Start(store, files.weights)
        write_split(self.rows, self.split)

    def profiles(self, speed: float = 1e6) -> list[Path]:
        found = []
        for source, accuracy in (("other", 0.5), ("letters", 0.8)):
            path = self.folder / f"{source}.json"
            profile(source, accuracy).model_copy(update={"images_per_second": speed}).write(path)
            found.append(path)
        return found

    def race(self, record: Path, budget: float | None = 5.0, speed: float = 1e6, solver: Solver = SOLVER) -> Race:
        starts = {"letters": self.start, "other": Start(Path("none"), Path("none"))}
        both = [*settings("other", solver), *settings("letters", solver)]
        race(self.profiles(speed), self.split, starts, both, record, CPU, 1, ADVISING, budget)
        return Race.read(record)


@pytest.fixture
def grounds(files: Files, tmp_path: Path) -> Grounds:
    return Grounds(files, tmp_path)


def fold(rows: list[Row], number: int) -> list[Row]:
    return draw_fold(rows, number, dataset="digits", seed=0, val=0.2 / 0.8)


def test_each_round_is_the_experiment_that_it_says(grounds: Grounds, tmp_path: Path) -> None:
    found = grounds.race(tmp_path / "race.json")
    assert (found.source, found.planned, found.left_out) == ("letters", FOLDS, "")
    for raced in found.schemes:
        correct: list[bool] = []
        (one,) = (chosen for chosen in settings("letters") if chosen.scheme == raced.scheme)
        for number in range(raced.rounds):
            write_split(fold(grounds.rows, number), tmp_path / "fold.csv")
            result = tmp_path / f"{raced.scheme}-{number}.json"
            run_experiment(one, grounds.start.store, tmp_path / "fold.csv", grounds.start.weights, result, CPU, 1)
            experiment = Experiment.read(result)
            correct += unpack(experiment.runs[0].correct, experiment.test_images)
        assert raced.images == len(correct)
        assert raced.accuracy == pytest.approx(np.mean(correct))
        assert raced.low <= raced.accuracy <= raced.high
    assert found.winner in SCHEMES
    assert found.first.behind == 0
    assert (found.more_images is None) == (found.verdict != "open")
    assert not list(tmp_path.glob(".race-*"))


def test_the_candidate_that_was_right_on_most_images_is_remembered(grounds: Grounds, tmp_path: Path) -> None:
    """Over all rounds, however many images test in each; of equals the one that validation prefers."""
    search = Search(tuned=TunedGrid(learning_rate=(0.0001, 0.1)), halvings=())
    one = settings("letters", SOLVER.model_copy(update={"search": search}))[0]
    write_split(fold(grounds.rows, 0), tmp_path / "fold.csv")
    run_experiment(one, grounds.start.store, tmp_path / "fold.csv", grounds.start.weights, tmp_path / "e.json", CPU, 1)
    experiment = Experiment.read(tmp_path / "e.json")

    def told(images: int, *accuracies: float) -> Experiment:
        """The experiment, had it come out like this."""
        (run,) = experiment.runs
        candidates = tuple(
            tried.model_copy(update={"test_accuracy": accuracy, "val_accuracy": 0.1 * place, "val_loss": 1.0})
            for place, (tried, accuracy) in enumerate(zip(run.candidates, accuracies, strict=True))
        )
        changed = {"runs": (run.model_copy(update={"candidates": candidates}),), "test_images": images}
        return experiment.model_copy(update=changed)

    own, second, _ = one.solver.candidates(Scheme.parse(one.scheme))
    found = racing._favourites(one, [told(10, 0.9, 0.5, 0.0), told(90, 0.5, 0.8, 0.0)])
    assert found == (second,)  # on 77 of 100, with an error of 4
    assert racing._favourites(one, [told(10, 0.9, 0.5, 0.0), told(10, 0.5, 0.7, 0.6)]) == (own, second)
    assert racing._favourites(one, [told(10, 0.9, 0.9, 0.0)]) == (second, own)
    assert racing._favourites(one, [told(10, 1.0, 0.9, 0.7)]) == (own, second)  # the error is of one image at least
    assert racing._favourites(one, []) == (own,)


def test_without_a_difference_every_image_tests_once_and_the_cheaper_is_taken(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, lambda scheme, number, images: np.arange(images) % 7 != number)
    found = grounds.race(tmp_path / "race.json")
    assert (found.rounds, found.verdict) == (FOLDS, "open")  # 22 images cannot say that it is less than two points
    assert [one.images for one in found.schemes] == [sum(row.subset != "test" for row in grounds.rows)] * 2


def answers(monkeypatch: pytest.MonkeyPatch, right: Callable[[str, int, int], Any], seconds: float = 1) -> list[str]:
    """Have the schemes be right as told, and write down the rounds that were run."""
    ran: list[str] = []

    def told(chosen: TrainingSettings, fold: Work, result: Path) -> tuple[np.ndarray, float]:
        images = sum(line.endswith(",test") for line in fold.split.read_text().splitlines())
        ran.append(f"{result.parent.name}/{chosen.scheme}")
        return np.asarray(right(chosen.scheme, int(fold.split.stem), images), bool), seconds

    monkeypatch.setattr(racing, "_round", told)
    return ran


def test_one_that_is_clearly_behind_drops_out_and_ends_it(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = answers(monkeypatch, lambda scheme, _, images: np.full(images, scheme.startswith("T")))
    found = grounds.race(tmp_path / "race.json")
    assert (found.winner, found.verdict, found.rounds) == ("T1-7_R8", "better", 1)
    assert ran == ["0/T1-7_R8", "0/F1-7_R8"]
    (other,) = found.others
    assert (other.scheme, other.behind) == ("F1-7_R8", 1)
    assert 0 < other.behind_low < other.behind_high


def test_a_round_that_would_exceed_the_budget_is_not_begun(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, lambda scheme, number, images: np.arange(images) % 3 != 0, seconds=40)
    found = grounds.race(tmp_path / "race.json", budget=3)  # a round takes 80 seconds
    assert (found.rounds, found.seconds) == (2, 160)


def test_a_race_that_was_stopped_goes_on_where_it_was(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def stopped_after(rounds: int) -> Callable[..., None]:
        def run(*given: Any, **more: Any) -> None:
            if len(done) == rounds:
                raise KeyboardInterrupt
            run_experiment(*given, **more)
            done.append(given[4].stem)

        return run

    whole = without_seconds(grounds.race(tmp_path / "whole" / "race.json"))
    record = tmp_path / "again" / "race.json"
    monkeypatch.setattr(work, "run_experiment", stopped_after(1))
    with pytest.raises(KeyboardInterrupt):
        grounds.race(record)
    assert (done, record.exists()) == (["T1-7_R8"], False)
    monkeypatch.setattr(work, "run_experiment", stopped_after(99))
    again = without_seconds(grounds.race(record))
    assert again == whole
    assert done == list(SCHEMES) * whole["rounds"]  # the first of them once


def without_seconds(found: Race) -> dict[str, Any]:
    return found.model_dump(exclude={"seconds": True, "schemes": {"__all__": {"seconds"}}})


def test_too_short_a_budget_says_what_it_takes(grounds: Grounds, tmp_path: Path) -> None:
    """Tuned: 3 times 12 steps of 8 images, 3 looks at 6 and a test of 8; frozen: 3 times 8, and 14."""
    words = r"one round of T1-7_R8 and F1-7_R8 takes some \d+ minutes? here"
    with pytest.raises(UserError, match=rf"the budget of 2 minutes is too short: {words}. Give it \d+ at least"):
        grounds.race(tmp_path / "race.json", budget=2, speed=1)
    assert not (tmp_path / "race.json").exists()
    found = grounds.race(tmp_path / "race.json", budget=None, speed=0.1)
    assert (found.winner, found.schemes, found.budget) == (None, (), 3)
    assert found.left_out.startswith("one round of T1-7_R8 and F1-7_R8 takes some")


def test_what_a_round_takes_counts_what_goes_through_the_network(grounds: Grounds) -> None:
    tuned, frozen = settings("letters")
    images = {"train": 10, "val": 4, "test": 7}
    assert racing._foreseen(frozen, images) == 10 * 3 + 4 + 7  # two views and the centre crops
    assert racing._foreseen(tuned, images) == 3 * 12 * 8 + 3 * 4 + 7
    searching = SOLVER.model_copy(update={"search": Search(tuned=TunedGrid(learning_rate=(0.1,)), halvings=())})
    assert racing._foreseen(settings("letters", searching)[0], images) == 2 * (3 * 12 * 8 + 3 * 4 + 7)


def test_a_larger_budget_goes_on_where_a_smaller_one_ended(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run(*given: Any, **more: Any) -> None:
        run_experiment(*given, **more)
        ran.append(given[4].parent.name)

    monkeypatch.setattr(work, "run_experiment", run)
    monkeypatch.setattr(racing, "decide", lambda *given: decide(*given)._replace(verdict="open", more_images=9))
    first = grounds.race(tmp_path / "race.json", budget=1e-3)  # a round takes longer than that
    assert (first.rounds, ran) == (1, ["0", "0"])
    assert grounds.race(tmp_path / "race.json", budget=9).rounds == FOLDS
    assert ran == ["0", "0", "1", "1", "2", "2"]
    assert not list(tmp_path.glob(".race-*"))


def test_a_network_that_does_not_fit_into_memory_is_no_race(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(racing, "free_memory_mb", lambda _: 1e-6)
    found = grounds.race(tmp_path / "race.json")
    assert found.left_out.startswith("T1-7_R8 of letters takes some 0.0 GiB of memory for batches of 8 images, and 0.0")


@pytest.mark.parametrize(
    ("accuracies", "between"),
    [((0.5, 0.9, 0.6, 0.7), "F1-2_T3-7_R8"), ((0.5, 0.6, 0.7, 0.8), "F1-4_T5-7_R8"), ((0.9, 0.8), "F1_T2-7_R8")],
)
def test_what_races_is_frozen_up_to_the_block_that_tells_most_or_half_way(
    accuracies: tuple[float, ...], between: str
) -> None:
    """Of a source of seven blocks below its classifier; of what follows the given ones the probe knows less."""
    told = profile("letters", *accuracies, *[0.1] * (6 - len(accuracies)), max(accuracies[-1], 0.1))
    everything = [settings("letters")[0].model_copy(update={"scheme": str(scheme)}) for scheme in depths(8)]
    raced = [one.scheme for one in racing._contenders(everything, told)]
    assert raced == ["T1-7_R8", between, "F1-7_R8"]


def test_what_lies_between_races_if_the_budget_is_enough(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = answers(monkeypatch, lambda scheme, _, images: np.full(images, scheme.startswith("F1_T")))
    three = [settings("letters")[0].model_copy(update={"scheme": str(scheme)}) for scheme in depths(8)]
    starts = {"letters": grounds.start}

    def verdict(name: str, minutes: float) -> Race:
        race(grounds.profiles(20), grounds.split, starts, three, tmp_path / name, CPU, 1, ADVISING, minutes)
        return Race.read(tmp_path / name)

    images = {"train": 20, "val": 4, "test": 12}
    foreseen = [racing._foreseen(one, images) for one in three]
    assert foreseen == sorted(foreseen, reverse=True)
    found = verdict("enough.json", 2)
    assert (found.winner, found.verdict) == ("F1_T2-7_R8", "better")
    assert ran == ["0/T1-7_R8", "0/F1_T2-7_R8", "0/F1-7_R8"]
    ran.clear()
    assert "F1_T2-7_R8" not in {one.scheme for one in verdict("short.json", 0.35).schemes}
    assert ran[:2] == ["0/T1-7_R8", "0/F1-7_R8"]


def test_a_class_of_one_group_trains_in_every_round_and_groups_are_not_parted(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third class without a test image, of one scene; the images of the others are of three groups each."""
    kept = [row for row in grounds.rows if row.subset != "test" or row.label == 0]
    grouped = [replace(row, group=f"{row.label}-{place % 3}") for place, row in enumerate(kept)]
    lonely = [row.image for row in grouped if row.label == 1][:2]
    rows = [
        replace(row, class_name="zero", label=2, subset="train", group="alone") if row.image in lonely else row
        for row in grouped
    ]
    write_split(rows, grounds.split, grouped=True)
    drawn: list[list[Row]] = []

    def told(chosen: TrainingSettings, fold: Work, result: Path) -> tuple[np.ndarray, float]:
        drawn.append(list(read_rows(fold.split)))
        run_experiment(chosen, grounds.start.store, fold.split, grounds.start.weights, result, CPU, 1)
        experiment = Experiment.read(result)
        assert experiment.classes == 3
        assert 0 <= experiment.runs[0].mean_class_accuracy <= 1
        return np.array(unpack(experiment.runs[0].correct, experiment.test_images), bool), 1.0

    monkeypatch.setattr(racing, "_round", told)
    found = grounds.race(tmp_path / "race.json")
    assert found.rounds >= 1
    groups = {row.image: row.group for row in rows}
    for fold in drawn:
        assert {row.subset for row in fold if row.label == 2} == {"train"}
        subsets = {(groups[row.image], row.subset) for row in fold}
        assert len(subsets) == len({group for group, _ in subsets})


def test_too_few_images_are_no_race(grounds: Grounds, tmp_path: Path) -> None:
    few = [row for row in grounds.rows if row.label == 0 or row.subset == "test"]
    few += [row for row in grounds.rows if row.label == 1 and row.subset == "val"][:1]
    few += [row for row in grounds.rows if row.label == 1 and row.subset == "train"][:1]
    write_split(few, grounds.split)
    found = grounds.race(tmp_path / "race.json")
    words = (
        "it takes two classes with 3 images each, of different groups, besides those that test, and 1 class has them"
    )
    assert found.left_out == f"{words}; add images"
