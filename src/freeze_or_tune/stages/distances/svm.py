"""Distance in feature space: how well a linear SVM tells source from target."""

from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from freeze_or_tune.records.distances import Distance
from freeze_or_tune.stages.distances.sides import Features, draw_samples, labels, load_features, standard_error
from freeze_or_tune.study.settings import SvmSettings
from freeze_or_tune.system.hashing import stable_seed


def held_out_accuracy(
    source: tuple[Features, Features], target: tuple[Features, Features], settings: SvmSettings
) -> float:
    """Accuracy on the held-out half; each side is (training, held-out) features [M, D]."""
    classifier = make_pipeline(StandardScaler(), LinearSVC(C=settings.c, random_state=0, max_iter=10_000))
    train, held_out = (np.concatenate(halves) for halves in zip(source, target, strict=True))
    classifier.fit(train, labels(len(source[0]), len(target[0])))
    return float(classifier.score(held_out, labels(len(source[1]), len(target[1]))))


def measure(
    source: str, target: str, source_features: Path, target_features: Path, settings: SvmSettings, seed: int,
    destination: Path,
) -> None:  # fmt: skip
    """Train and test the SVM on two feature files and write the record."""
    ours, theirs = load_features(source_features), load_features(target_features)
    seed, same = stable_seed(seed, target, "svm"), source_features == target_features
    first, second = draw_samples(len(ours), len(theirs), settings.samples, seed, same=same)
    accuracy = held_out_accuracy(
        (ours[first.train], ours[first.held_out]), (theirs[second.train], theirs[second.held_out]), settings
    )
    Distance(
        metric="svm", source=source, target=target, value=accuracy,
        standard_error=standard_error(accuracy, len(first.held_out) + len(second.held_out)),
        source_images=len(ours), target_images=len(theirs),
    ).write(destination)  # fmt: skip
