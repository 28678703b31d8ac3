"""A synthetic set of experiments with known accuracies: records -> JSON -> experiments.csv."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from freeze_or_tune.analysis.results import collect
from freeze_or_tune.backbones import CaffeNet
from freeze_or_tune.correctness import pack
from freeze_or_tune.records import Distance, Experiment, Performance, Run
from freeze_or_tune.settings import Solver, SplitSettings, TrainingSettings

NETWORK = CaffeNet(channels=(16, 16, 16, 16, 16), features=32, image_size=40, crop=36)


class Results:
    """Result files of a study under one folder, known in the order they are added."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.experiments: list[Path] = []
        self.distances: list[Path] = []
        self.csv = root / "experiments.csv"

    def experiment(
        self, target: str, n: int, scheme: str, accuracies: Sequence[float], classes: int = 10, name: str = ""
    ) -> Path:
        """Add the experiment whose runs have these test accuracies."""
        settings = TrainingSettings(
            study="embedded", target=target, dataset=f"{target}-images", source="latin-a", network=NETWORK,
            split=SplitSettings(dataset=f"{target}-images", seed=0, n=n, val=5, test=20),
            scheme=scheme, seed=0, runs=len(accuracies), solver=Solver(),
        )  # fmt: skip
        record = Experiment(
            settings=settings, digest=settings.digest, classes=classes, versions={},
            train_images=n * classes, val_images=5 * classes, test_images=20 * classes,
            runs=tuple(self._run(i, accuracy, 20 * classes) for i, accuracy in enumerate(accuracies)),
        )  # fmt: skip
        path = self.root / "experiments" / target / f"n{n}" / f"{name or scheme}.json"
        record.write(path)
        self.experiments.append(path)
        return path

    @staticmethod
    def _run(i: int, wanted: float, images: int) -> Run:
        """The nearest accuracy that so many images allow; the first ones are right."""
        right = round(wanted * images)
        accuracy = right / images
        cost = Performance(seconds=1.5, images_per_second=900.25, peak_memory_mb=12, device="cpu", threads=1)
        return Run(
            run=i, seed=2**62 + i, val_accuracy=1 - accuracy, test_accuracy=accuracy, mean_class_accuracy=accuracy / 2,
            iterations=200, best_iteration=180, curve=(), performance=cost,
            correct=pack(i < right for i in range(images)),
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

    def collect(self) -> Path:
        """Write and return experiments.csv."""
        collect(self.experiments, self.distances, self.csv)
        return self.csv


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """An empty folder of results."""
    return Results(tmp_path)


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
