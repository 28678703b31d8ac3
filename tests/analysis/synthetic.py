"""A study that never ran, with the shape of a real one: accuracies rise with data and fall with distance."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from freeze_or_tune.analysis.results.collecting import Searched
from freeze_or_tune.study.schemes import Scheme

from .conftest import SCHEMES, Results

COSINES = {"near-by": 0.06, "half-way": 0.31, "far-off": 0.52}


def accuracy(cosine: float, n: int, scheme: str) -> float:
    """Tuning gains with distance and data; starting from random values costs most where data is scarce."""
    random_blocks = Scheme.parse(scheme).depth // 2
    tuned = Scheme.parse(scheme).tuned
    base = 0.95 - 0.6 / np.sqrt(n + 1) - 0.4 * cosine - random_blocks * 0.12 / np.log10(n + 2)
    gain = 0.25 * cosine * np.log10(n + 1) - 0.01 if tuned else 0
    return float(np.clip(base + gain, 0.05, 0.99))


def study(
    root: Path,
    *,
    cosines: Mapping[str, float] = COSINES,
    counts: Sequence[int] = (1, 10, 100),
    schemes: Sequence[str] = SCHEMES,
    runs: int = 2,
) -> Results:
    """Write records, distances and experiments.csv."""
    random = np.random.default_rng(0)
    results = Results(root)
    for target, cosine in cosines.items():
        for n in counts:
            for scheme in schemes:
                wobble = random.normal(0, 0.01, runs)
                results.experiment(target, n, scheme, np.clip(accuracy(cosine, n, scheme) + wobble, 0, 1).tolist())
        results.distance(target, "cosine", cosine)
        results.distance(target, "mmd", 40 * cosine)
        results.distance(target, "svm", min(0.99, 0.5 + 0.8 * cosine), 0.01)
    results.collect()
    return results


def searching(results: Results) -> Searched:
    """Results of a search that turns the verdict round: tuned accuracy is .3 at one rate, .9 at its best."""
    results.experiment("near-by", 10, "T1-7_R8", [0, 0], tried=[(0.01, 0.5, 0.3), (0.1, 0.8, 0.9)])
    results.experiment("near-by", 10, "F1-7_R8", [0, 0], tried=[(0.01, 0.7, 0.6), (0.1, 0.6, 0.9)])
    results.distance("near-by", "cosine", 0.06)
    return results.collect_searched()


def sheet(path: Path, colour: tuple[int, int, int] = (200, 120, 40)) -> Path:
    """Write a small picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (68, 32), colour).save(path)
    return path
