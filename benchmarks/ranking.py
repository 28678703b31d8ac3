"""Which score, known before any training, ranks source networks best?

For each dataset of a study that is the target of several sources, at each number of images a class: the scores of its
sources are compared with the better of their tuned and frozen test accuracies. Scores come from the pooled outputs of
the source's blocks for the images that train and validate: cross-validated nearest neighbours and logistic regression
on the features (what the advice chooses by), the best block's, LogME (You et al. 2021, arXiv:2102.11005) and H-score
(Bao et al. 2019, doi:10.1109/ICIP.2019.8803726). Prints how often each puts two sources in the right order, and the
points of accuracy lost by taking the one that it puts first.
"""

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from benchmarks.compare import table
from freeze_or_tune.analysis.results.table import read_results
from freeze_or_tune.data.splits import read_rows
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.build import scale_of
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.stages.features import in_chunks, source_network
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.study.study import Study
from freeze_or_tune.training.augment import Preprocessing

SCORES = {
    "probe": "logistic regression on the features",
    "probe_neighbours": "nearest neighbours on the features",
    "probe_best": "logistic regression on the best block",
    "logme": "LogME of the features",
    "h_score": "H-score of the features",
}


def logme(features: np.ndarray, labels: np.ndarray) -> float:
    """Log evidence of a Bayesian linear model of each class, mean over classes and images; higher is better."""
    n, d = features.shape
    left, singular, _ = np.linalg.svd(features, full_matrices=False)
    squares = singular**2
    found = []
    for label in np.unique(labels):
        y = (labels == label).astype(float)
        projected = (left.T @ y) ** 2
        outside = max(y @ y - projected.sum(), 1e-12)
        alpha = beta = 1.0
        for _ in range(50):
            gamma = (beta * squares / (alpha + beta * squares)).sum()
            weights = (squares * projected * (beta / (alpha + beta * squares)) ** 2).sum()
            errors = (projected * (alpha / (alpha + beta * squares)) ** 2).sum() + outside
            alpha, beta = gamma / max(weights, 1e-12), max(n - gamma, 1e-12) / errors
        found.append(
            d / 2 * np.log(alpha) + n / 2 * np.log(beta) - beta / 2 * errors - alpha / 2 * weights
            - np.log(alpha + beta * squares).sum() / 2 - (d - len(squares)) / 2 * np.log(alpha)
            - n / 2 * np.log(2 * np.pi)
        )  # fmt: skip
    return float(np.mean(found) / n)


def h_score(features: np.ndarray, labels: np.ndarray) -> float:
    """Trace of the features' inverse covariance times that of their class means; higher is better."""
    centred = features - features.mean(axis=0)
    means = np.zeros_like(centred)
    for label in np.unique(labels):
        means[labels == label] = centred[labels == label].mean(axis=0)
    covariance, between = (np.cov(x, rowvar=False) for x in (centred, means))
    return float(np.trace(np.linalg.pinv(covariance, rcond=1e-3) @ between))


def features_of(study: Study, target: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the split's images that train and validate, and their labels."""
    chosen, results = study.targets[target], Path(study.results)
    network = study.network_of(chosen.source)
    pretrained = load_pretrained(results / f"networks/{chosen.source}.safetensors")
    rows = [row for row in read_rows(results / f"splits/{target}/n{n}.csv") if row.subset != "test"]
    store = Store(results / f"stores/{chosen.dataset}-{network.image_size}.npy")
    scale = scale_of(network, torch.device("cpu"))
    preprocessing = Preprocessing(pretrained.mean, network.crop, scale, bgr=network.bgr)
    layered = source_network(network, pretrained)
    chunks = in_chunks(lambda x: [layered.features(x)], store, [row.image for row in rows], preprocessing)
    return torch.cat([chunk for (chunk,) in chunks]).double().numpy(), np.array([row.label for row in rows])


def scored(study: Study) -> pd.DataFrame:
    """A row for each split: its scores, and the better of its accuracies."""
    results = read_results(Path(study.results, "experiments.csv"))
    found = results.groupby(["dataset", "n", "target"], as_index=False).agg(
        accuracy=("test_accuracy", "max"), **{name: (name, "first") for name in SCORES if name.startswith("probe")}
    )
    splits = tqdm(list(zip(found["target"], found["n"], strict=True)), disable=not sys.stderr.isatty())
    others = [(logme(*data), h_score(*data)) for data in (features_of(study, target, n) for target, n in splits)]
    return found.assign(logme=[one for one, _ in others], h_score=[two for _, two in others])


def ranked(splits: pd.DataFrame) -> list[tuple[object, ...]]:
    """Of each score: pairs of sources in the right order, and points lost by taking its first."""
    groups = [group for _, group in splits.groupby(["dataset", "n"]) if len(group) > 1]
    rows: list[tuple[object, ...]] = []
    for score, words in SCORES.items():
        right, pairs, lost = 0.0, 0, []
        for group in groups:
            values = list(zip(group[score], group["accuracy"], strict=True))
            for (one, better), (other, worse) in combinations(sorted(values, key=lambda pair: -pair[1]), 2):
                if better > worse:
                    right, pairs = right + (1 if one > other else 0.5 if one == other else 0), pairs + 1
            lost.append(group["accuracy"].max() - max(values)[1])
        rows.append((words, f"{right:g} of {pairs}", f"{100 * np.mean(lost):.2f}"))
    at_random = np.mean([group["accuracy"].max() - group["accuracy"].mean() for group in groups])
    return [*rows, ("any", "half", f"{100 * at_random:.2f}")]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", default="config/evidence.yaml", help="a study that has run, with probes")
    arguments = parser.parse_args()
    table(("score", "pairs in order", "points lost"), ranked(scored(read_study(arguments.configfile))))


if __name__ == "__main__":
    main()
