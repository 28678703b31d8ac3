"""A synthetic set of experiments with known accuracies: records -> JSON -> experiments.csv."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from freeze_or_tune.analysis.results.collecting import Searched, collect
from freeze_or_tune.records.correctness import pack
from freeze_or_tune.records.distances import Distance
from freeze_or_tune.records.experiment import CurvePoint, Experiment, Performance, Run, Tested, Tried
from freeze_or_tune.records.tallies import SplitTally
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import SplitSettings, TrainingSettings
from freeze_or_tune.study.solver import Rule, Solver

from .advice.own import profile

NETWORK = CaffeNet(channels=(16, 16, 16, 16, 16), features=32, image_size=40, crop=36)


SCHEMES = ("T1-7_R8", "F1-7_R8", "T1-5_R6-8", "F1-5_R6-8", "T1-3_R4-8", "F1-3_R4-8")


def learning_curve(best: float) -> tuple[CurvePoint, ...]:
    """Ten evaluations up to iteration 200, the best one at 180."""
    points = [(20 * i, best * (1 - 0.6**i), 6 * 0.7**i) for i in range(1, 11)]
    return tuple(
        CurvePoint(iteration=at, loss=loss, val_accuracy=best if at == 180 else accuracy)
        for at, accuracy, loss in points
    )


def searched(tried: Sequence[tuple[Any, ...]], images: int, copied_rate: float | None) -> dict[str, Any]:
    """What a search leaves in a run; the first candidate is the solver's own, their average is right on all images."""
    if not tried:
        return {}

    def bits(accuracy: float) -> str:
        return pack([i < round(accuracy * images) for i in range(images)])

    candidates = tuple(
        Tried(
            learning_rate=rate, weight_decay=0.05 if method else 0.0005, copied_rate=copied_rate,
            method=method[0] if method else None, val_accuracy=val, val_loss=1 - val, test_accuracy=test,
            mean_class_accuracy=test, correct=bits(test), iterations=200, best_iteration=180,
            curve=learning_curve(val),
        )
        for rate, val, test, *method in tried
    )  # fmt: skip
    best = max(candidates, key=lambda one: one.rank)
    average = Tested(val_accuracy=1, test_accuracy=1, mean_class_accuracy=1, correct=bits(1))
    return {
        **best.model_dump(include=set(Tested.model_fields)),
        "curve": best.curve,
        "candidates": candidates,
        "average": average,
    }


class Results:
    """Result files of a study under one folder, known in the order they are added."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.experiments: list[Path] = []
        self.distances: list[Path] = []
        self.splits: list[Path] = []
        self.probes: list[Path] = []
        self.csv = root / "experiments.csv"

    def experiment(
        self, target: str, n: int, scheme: str, accuracies: Sequence[float], classes: int = 10, name: str = "",
        correct: Sequence[Sequence[bool]] = (), tried: Sequence[tuple[Any, ...]] = (), **changes: Any,
    ) -> Path:  # fmt: skip
        """Add the experiment whose runs have these test accuracies, or these images right; `changes` of settings.

        `tried`: (rate, validation accuracy, test accuracy) of the candidates of each run; a fourth is a method.
        """
        settings = TrainingSettings(
            study="embedded", target=target, dataset=f"{target}-images", source="latin-a", network=NETWORK,
            split=SplitSettings(dataset=f"{target}-images", seed=0, n=n, val=5, test=20),
            scheme=scheme, seed=0, runs=len(accuracies), solver=Solver(),
        ).model_copy(update=changes)  # fmt: skip
        images = 20 * classes
        right = [[i < round(accuracy * images) for i in range(images)] for accuracy in accuracies]
        record = Experiment(
            settings=settings, digest=settings.digest, classes=classes, versions={"torch": "2.9", "numpy": "2.3"},
            train_images=n * classes, val_images=5 * classes, test_images=images,
            runs=tuple(
                self._run(i, bits).model_copy(update=searched(tried, images, 0.2 if scheme[0] == "T" else None))
                for i, bits in enumerate(correct or right)
            ),
        )  # fmt: skip
        path = self.root / "experiments" / target / f"n{n}" / f"{name or scheme}.json"
        record.write(path)
        self.experiments.append(path)
        return path

    @staticmethod
    def _run(i: int, correct: Sequence[bool]) -> Run:
        accuracy = sum(correct) / len(correct)
        cost = Performance(seconds=1.5, images_per_second=900.25, peak_memory_mb=12, device="cpu", threads=1)
        return Run(
            run=i, seed=2**62 + i, val_accuracy=1 - accuracy, test_accuracy=accuracy, mean_class_accuracy=accuracy / 2,
            iterations=200, best_iteration=180, curve=learning_curve(1 - accuracy), performance=cost,
            correct=pack(correct),
        )  # fmt: skip

    def distance(
        self,
        target: str,
        metric: str,
        value: float,
        error: float | None = None,
        source: str = "latin-a",
        name: str = "",
        estimated: bool = False,
    ) -> Path:
        """Add a distance of a target."""
        record = Distance(
            metric=metric, source=source, target=target, value=value, standard_error=error,
            source_images=100, target_images=100, estimated=estimated,
        )  # fmt: skip
        path = self.root / "distances" / target / f"{name or metric}.json"
        record.write(path)
        self.distances.append(path)
        return path

    def probe(self, target: str, n: int, *accuracies: float, source: str = "latin-a") -> None:
        """Add the profile of a split's images by what each block tells; neighbours are half as often right."""
        path = self.root / "probes" / target / f"n{n}.json"
        profile(source, *accuracies).write(path)
        self.probes.append(path)

    def count(self, target: str, n: int, tally: SplitTally) -> None:
        """Add the counts of a split."""
        path = self.root / "splits" / target / f"n{n}.json"
        tally.write(path)
        self.splits.append(path)

    def collect(self) -> Path:
        """Write and return experiments.csv."""
        collect(self.experiments, self.distances, self.csv, self.splits, probes=self.probes)
        return self.csv

    def collect_searched(self, rule: Rule = "validation") -> Searched:
        """Write experiments.csv of a study with a search, and return what is beside it."""
        searched = Searched(rule, self.root / "one-rate/experiments.csv", self.root / "candidates.csv")
        searched.one_rate.parent.mkdir(exist_ok=True)
        collect(self.experiments, self.distances, self.csv, self.splits, searched)
        return searched


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """An empty folder of results."""
    return Results(tmp_path)


@pytest.fixture
def synthetic(results: Results) -> Path:
    """experiments.csv of a study that looks like a real one: 4 targets x 3 n x 6 schemes x 2 runs."""
    random = np.random.default_rng(5)
    targets = {"latin-b": (0.03, 30), "greek": (0.12, 24), "digits": (0.34, 10), "solar-cells": (0.46, 4)}
    for target, (cosine, classes) in targets.items():
        hardness = random.logistic(0, 1.5, 20 * classes)
        for n, scheme in product((1, 10, 100), SCHEMES):
            parsed = Scheme.parse(scheme)
            skill = 1.1 * np.log10(n) - np.log(classes) + 2.2 - 2 * cosine * (parsed.depth == 1) - 0.2 * parsed.depth
            skill += (cosine * 2 - 0.35) * np.log10(n) * (parsed.mode == "T") + (0.3 if n == 1 else 0) * cosine
            right = [skill + random.normal(0, 0.15) + random.logistic(0, 0.7, 20 * classes) > hardness for _ in "ab"]
            correct = [list(map(bool, bits)) for bits in right]
            results.experiment(target, n, scheme, [0, 0], classes=classes, correct=correct)
        for metric, value in {"cosine": cosine, "mmd": 2 + 70 * cosine**0.8, "svm": 0.6 + 0.8 * cosine}.items():
            results.distance(target, metric, value, 0.01 if metric == "svm" else None)
    results.distance("latin-b", "cnn", 0.61, 0.02)
    results.distance("greek", "cnn", 0.9, 0.02)
    results.distance("digits", "cnn", 0.85, 0.02)
    results.distance("solar-cells", "cnn", 0.97, 0.02)
    return results.collect()


@pytest.fixture
def collected(results: Results) -> Callable[..., Path]:
    """experiments.csv from {(target, n, scheme): accuracies of runs} and {target: cosine distance}."""

    def build(accuracies: Mapping[tuple[str, int, str], Sequence[float]], cosines: Mapping[str, float]) -> Path:
        for (target, n, scheme), runs in accuracies.items():
            results.experiment(target, n, scheme, runs)
        for target, cosine in cosines.items():
            results.distance(target, "cosine", cosine)
        return results.collect()

    return build


@pytest.fixture
def edit() -> Callable[[Path, int, str, str], None]:
    """Replace one cell of a CSV; rows count from 0 below the header."""

    def replace(csv: Path, row: int, column: str, value: str) -> None:
        table = pd.read_csv(csv, dtype=str, keep_default_na=False)
        table.loc[row, column] = value
        table.to_csv(csv, index=False)

    return replace
