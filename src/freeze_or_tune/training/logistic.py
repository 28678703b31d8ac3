"""A new classifier over frozen blocks solved to its optimum: scikit-learn's logistic regression, at several C.

The features are the classifier's inputs for centre crops, without dropout, each standardised over the training images;
weights and biases are then those of the features as they are, so that what comes out is a layer like any other.
"""

import time
import warnings
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.records.experiment import CurvePoint
from freeze_or_tune.study.solver import Candidate
from freeze_or_tune.training.loop import Solved, Trained, measures
from freeze_or_tune.training.prefix import HeldOut

STEPS = 200
"""Of L-BFGS for each C, which starts where the one before it ended; it usually needs far fewer."""


def solve(network: Layered, candidates: Sequence[Candidate], iterations: int, train: HeldOut, val: HeldOut) -> Solved:
    """The classifier of each candidate.

    `network` is frozen but for its classifier; `iterations` stand in the record: those of the candidates that learn by
    steps. Best on validation is the only look that each has.
    """
    start = time.perf_counter()
    name = list(network.block_of)[-1]
    classifier = network.get_submodule(name)
    assert isinstance(classifier, nn.Linear)
    features = train.outputs(network, network.first_layer(network.blocks)).double().cpu().numpy()
    labels = train.labels.cpu().numpy()
    scaler = StandardScaler().fit(features)
    standardised = scaler.transform(features)
    model = LogisticRegression(max_iter=STEPS, warm_start=True)
    found: dict[Candidate, Trained] = {}
    for candidate in sorted(candidates, key=lambda one: one.c or 0):
        model.set_params(C=candidate.c)
        with warnings.catch_warnings():
            # The end of STEPS, and the doubt whether few images a class are classes: both are meant.
            warnings.simplefilter("ignore", UserWarning)
            model.fit(standardised, labels)
        weight, bias = _of_all_classes(model, classifier.out_features)
        weight = weight / scaler.scale_
        bias = bias - weight @ scaler.mean_
        values = (torch.from_numpy(value).to(classifier.weight) for value in (weight, bias))
        parameters = dict(zip((f"{name}.weight", f"{name}.bias"), values, strict=True))
        network.load_state_dict(parameters, strict=False)
        accuracy, val_loss = measures(val.predictions(network), val.labels)
        scores = torch.from_numpy(features @ weight.T + bias)
        point = CurvePoint(
            iteration=iterations, val_accuracy=accuracy, loss=float(F.cross_entropy(scores, torch.from_numpy(labels)))
        )
        found[candidate] = Trained(candidate, iterations, iterations, accuracy, val_loss, (point,), parameters)
    return Solved(tuple(found[candidate] for candidate in candidates), time.perf_counter() - start)


def _of_all_classes(model: LogisticRegression, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights [classes, D] and biases; of two classes scikit-learn has one row, for their difference."""
    weight, bias = model.coef_, model.intercept_
    if classes == 2:
        return np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return weight, bias
