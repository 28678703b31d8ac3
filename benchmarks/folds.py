"""Folds of the training images against validation images, where those are few: which chooses better?

The candidates are logistic regressions on a study's own features/*.npy (standardised, C from 1e-5 to 10), of which one
is chosen by its accuracy on one or two validation images a class (mean over random draws of them), on all, on folds of
the training images, or on folds and one validation image a class; beside them the mean of their probabilities.
Prints, for each split, the points of test accuracy lost against the candidate that is best on the test images.
"""

import argparse
import sys
import warnings

import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from benchmarks.accuracy import Split, features_of
from benchmarks.by_hand import CS, regression
from benchmarks.compare import table
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.study.study import Study

FOLDS = 5
DRAWS = 50
COLUMNS = ("1 a class", "2 a class", "all", "folds", "folds and 1", "mean of all")


def lost(study: Study, target: str, n: int) -> list[float]:
    """Points that each of COLUMNS loses."""
    split, subsets = Split.read(study, target, n), ("train", "val", "test")
    train, val, test = map(features_of(study, target, split).__getitem__, subsets)
    labels, val_labels, test_labels = (split.labels[subset].numpy() for subset in subsets)
    folds = StratifiedKFold(min(FOLDS, n), shuffle=True, random_state=0)
    right, folded, tests, probabilities = [], [], [], []
    for c in CS:
        model = regression(c)
        folded.append(cross_val_predict(model, train, labels, cv=folds) == labels)
        model.fit(train, labels)
        right.append(model.predict(val) == val_labels)
        probabilities.append(model.predict_proba(test))
        tests.append(np.mean(model.predict(test) == test_labels))
    seen, inside, accuracies = np.array(right), np.array(folded), np.array(tests)
    generator = np.random.default_rng(0)

    def few(images: int) -> list[np.ndarray]:
        """Correct answers of each candidate to so many validation images a class, drawn again and again."""
        places = [np.flatnonzero(val_labels == label) for label in np.unique(val_labels)]
        drawn = (np.concatenate([generator.choice(p, images, replace=False) for p in places]) for _ in range(DRAWS))
        return [seen[:, rows] for rows in drawn]

    def chosen(answers: np.ndarray) -> float:
        return float(accuracies[answers.mean(1).argmax()])

    ones = few(1)
    found = [
        np.mean([chosen(one) for one in ones]), np.mean([chosen(two) for two in few(2)]), chosen(seen),
        chosen(inside), np.mean([chosen(np.hstack([inside, one])) for one in ones]),
        np.mean(np.mean(probabilities, axis=0).argmax(1) == test_labels),
    ]  # fmt: skip
    return [float(100 * (accuracies.max() - one)) for one in found]


def main() -> None:
    """Measure the splits that can be folded, print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", nargs="+", default=["config/config.yaml"], help="a study that has run")
    parser.add_argument(
        "--most", type=int, default=25, help="images a class of the largest split (default: %(default)s)"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # of scikit-learn: not converged, few images a class
    study = read_study(*arguments.configfile)
    rows = []
    for target, settings in study.targets.items():
        for n in settings.n:
            if 2 <= n <= arguments.most and settings.val >= 2:
                rows.append((target, n, *lost(study, target, n)))
                print(*rows[-1], file=sys.stderr)
    means = [float(np.mean([row[column] for row in rows])) for column in range(2, 2 + len(COLUMNS))]
    table(("target", "n", *COLUMNS), [*rows, ("mean", "", *means)])


if __name__ == "__main__":
    main()
