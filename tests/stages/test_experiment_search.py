from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from freeze_or_tune.analysis.results.choosing import chosen as choices
from freeze_or_tune.data.splits import read_split, write_split
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.stages.features import in_chunks, source_network
from freeze_or_tune.study.solver import Candidate, FrozenGrid, Rule, Search, TunedGrid
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.augment import Preprocessing
from tests.stages.files import CPU, NAMES, SIZES, Files, adapted, settings, without_costs

SEARCH = Search(
    frozen=FrozenGrid(learning_rate=(0.003, 0.1), c=(0.01, 1)),
    tuned=TunedGrid(learning_rate=(0.003, 0.05), copied_rate=(0.2, 1)),
)


@pytest.mark.parametrize(("scheme", "count"), [("T1-7_R8", 5), ("F1-7_R8", 5), ("F1-5_R6-8", 3), ("F1-3_R4-8", 3)])
def test_the_record_of_a_search(files: Files, tmp_path: Path, scheme: str, count: int) -> None:
    chosen = settings("digits", scheme, runs=2, search=SEARCH)
    record = adapted(files, chosen, tmp_path / "x.json", threads=1)
    plain = adapted(files, settings("digits", scheme, runs=2), tmp_path / "plain.json")
    for run, alone in zip(record.runs, plain.runs, strict=True):
        assert len(run.candidates) == count
        own = run.candidates[0]
        assert (own.learning_rate, own.weight_decay) == (chosen.solver.learning_rate, chosen.solver.weight_decay)
        assert [p.loss for p in own.curve] == pytest.approx([p.loss for p in alone.curve], rel=1e-3)
        if scheme == "T1-7_R8":  # networks of their own: the same bits
            assert (own.curve, own.correct, own.val_accuracy) == (alone.curve, alone.correct, alone.val_accuracy)
        best = max(run.candidates, key=lambda one: one.rank)
        assert (run.val_accuracy, run.correct, run.curve) == (best.val_accuracy, best.correct, best.curve)
        assert run.average is not None
        solved = [one for one in run.candidates if one.c is not None]
        assert [one.c for one in solved] == ([0.01, 1] if scheme == "F1-7_R8" else [])
    # Nothing in a solved classifier depends on the run's seed.
    assert [one.correct for one in record.runs[0].candidates if one.c] == [
        one.correct for one in record.runs[1].candidates if one.c
    ]
    assert without_costs(adapted(files, chosen, tmp_path / "again.json")) == without_costs(record)


@pytest.mark.parametrize("scheme", ["T1-7_R8", "F1-7_R8"])
def test_test_labels_have_no_say_in_a_search(files: Files, tmp_path: Path, scheme: str) -> None:
    chosen = settings("digits", scheme, search=SEARCH)
    store, split = files.inputs("digits")
    rows = read_split(split, 6, 3, 4)
    tests = [row for row in rows if row.subset == "test"]
    drawn = np.random.default_rng(0).permutation([row.label for row in tests]).tolist()
    others = [
        replace(row, class_name=NAMES["digits"][label], label=label) for row, label in zip(tests, drawn, strict=True)
    ]
    write_split([row for row in rows if row.subset != "test"] + others, tmp_path / "shuffled.csv")
    run_experiment(chosen, store, tmp_path / "shuffled.csv", files.weights, tmp_path / "y.json", CPU, 1)
    ours, shuffled = adapted(files, chosen, tmp_path / "x.json"), Experiment.read(tmp_path / "y.json")
    assert [one.correct for one in ours.runs[0].candidates] != [one.correct for one in shuffled.runs[0].candidates]
    for rule in get_args(Rule):
        assert chosen_by([ours], rule) == chosen_by([shuffled], rule)
    seen = {"test_accuracy", "mean_class_accuracy", "correct"}
    for one, other in zip(ours.runs[0].candidates, shuffled.runs[0].candidates, strict=True):
        assert one.model_dump(exclude=seen) == other.model_dump(exclude=seen)
    assert (ours.runs[0].curve, ours.runs[0].val_accuracy) == (shuffled.runs[0].curve, shuffled.runs[0].val_accuracy)


def chosen_by(records: list[Experiment], rule: Rule) -> list[int]:
    return [one.place for runs in choices(records, rule) for one in runs]


def test_variant_p_starts_from_the_classifier_that_validation_likes_best(files: Files, tmp_path: Path) -> None:
    """At rates of nothing it ends there, too; at others it is tuned from there, in every run from the same."""
    search = Search(frozen=FrozenGrid(c=(0.0001, 1)))
    still = {"learning_rate": 1e-30, "weight_decay": 0.0, "search": search}
    frozen = adapted(files, settings("digits", "F1-7_R8", search=search), tmp_path / "f.json").runs[0]
    solved = max((one for one in frozen.candidates if one.c), key=lambda one: one.rank)
    for scheme in ("T1-7_R8p", "F1-4_T5-7_R8p"):
        record = adapted(files, settings("digits", scheme, runs=2, **still), tmp_path / f"{scheme}.json")
        for run in record.runs:
            assert (run.correct, run.val_accuracy) == (solved.correct, solved.val_accuracy)
    tuned = adapted(files, settings("digits", "T1-7_R8p", search=search), tmp_path / "t.json")
    assert tuned.runs[0].curve[-1].loss < tuned.runs[0].curve[0].loss / 2
    assert without_costs(adapted(files, settings("digits", "T1-7_R8p", search=search), tmp_path / "t2.json")) == (
        without_costs(tuned)
    )


def test_variant_n_is_refused_where_there_are_no_batch_norms(files: Files, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="blocks 1 to 7 have no batch norms: leave out the scheme's variant n"):
        adapted(files, settings("digits", "T1-7_R8n"), tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_a_model_may_be_the_mean_of_classifiers_each_as_sure_as_the_others(files: Files, tmp_path: Path) -> None:
    """Logistic regressions of three C, each trained alone, against what one search leaves of two of them."""
    store, split = files.inputs("digits")

    def classifier(name: str, among: tuple[Candidate, ...] = (), **solver: Any) -> np.ndarray:
        """Weights and biases [2, D + 1]."""
        path = tmp_path / f"{name}.safetensors"
        run_experiment(
            settings("digits", "F1-7_R8", **solver), store, split, files.weights, tmp_path / f"{name}.json", CPU, 1,
            model=path, among=among,
        )  # fmt: skip
        state = load_pretrained(path).parameters
        return np.column_stack([state["fc8.weight"].numpy(), state["fc8.bias"].numpy()]).astype(float)

    few, many = classifier("few", c=0.001), classifier("many", c=10.0)
    features = np.column_stack([features_of(files, split, "val"), np.ones(6)])
    outputs = [features @ one.T for one in (few, many)]
    spreads = [np.sqrt(np.square(out - out.mean(1, keepdims=True)).mean()) for out in outputs]
    assert spreads[1] > 2 * spreads[0]
    wanted = (few / spreads[0] + many / spreads[1]) / 2 * np.mean(spreads)
    search = Search(frozen=FrozenGrid(c=(0.001, 0.1, 10.0)))
    found = classifier("mean", (Candidate(c=0.001), Candidate(c=10.0)), search=search)
    # One C is solved from another's end: what hardly varies over the images comes out a little different.
    np.testing.assert_allclose(features @ found.T, features @ wanted.T, rtol=5e-3)


def features_of(files: Files, split: Path, subset: str) -> np.ndarray:
    """The source's features [N, D] of a subset's images."""
    pretrained = load_pretrained(files.weights)
    network = source_network(SIZES, pretrained)
    names = [row.image for row in read_split(split, 6, 3, 4) if row.subset == subset]
    cut = Preprocessing(pretrained.mean, SIZES.crop, SIZES.scale)
    (chunk,) = in_chunks(lambda views: [network.features(views)], Store(files.inputs("digits")[0]), names, cut)
    return chunk[0].numpy()
