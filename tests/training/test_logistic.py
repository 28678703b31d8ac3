"""A classifier that is solved for, against scikit-learn's own predictions."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from freeze_or_tune.study.solver import Candidate
from freeze_or_tune.training.images import Images
from freeze_or_tune.training.logistic import solve
from freeze_or_tune.training.prefix import Prefix

from .small import images, network, preprocessing

CS = (1.0, 0.001, 0.1)


@pytest.mark.parametrize("classes", [3, 2])
def test_it_predicts_what_scikit_learn_does(classes: int) -> None:
    def some(count: int, seed: int) -> Images:
        made = images(count, seed=seed, noise=80)
        return Images(made.pixels, made.labels % classes)

    net = network()
    net.fc4 = torch.nn.Linear(16, classes)
    net.freeze(3)
    prefix = Prefix(net.eval(), net.prefix(3), preprocessing(), some(40, 0), 2, seed=3)
    train, val = prefix.held_out(some(40, 0)), prefix.held_out(some(30, 9))
    found = solve(net, [Candidate(c=c) for c in CS], 200, train, val).candidates
    assert [one.candidate.c for one in found] == list(CS)
    features = [held_out.outputs(net, net.first_layer(4)).double().numpy() for held_out in (train, val)]
    for one in found:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=one.candidate.c, max_iter=1000))
        model.fit(features[0], train.labels)
        net.load_state_dict(one.parameters, strict=False)
        ours = val.predictions(net).double().softmax(1).numpy()
        np.testing.assert_allclose(ours, model.predict_proba(features[1]), atol=5e-3)
        assert one.val_accuracy == pytest.approx(model.score(features[1], val.labels))
        assert one.val_loss == pytest.approx(log_loss(val.labels, ours), rel=1e-4)
        assert one.curve[0].loss == pytest.approx(log_loss(train.labels, model.predict_proba(features[0])), rel=0.05)
        assert (one.iterations, one.best_iteration) == (200, 200)


def test_features_that_never_change_do_no_harm() -> None:
    net = network()
    with torch.no_grad():
        net.fc3.weight[0] = 0
        net.fc3.bias[0] = -1  # after the ReLU always 0
    net.freeze(3)
    prefix = Prefix(net.eval(), net.prefix(3), preprocessing(), images(40), 2, seed=3)
    (one,) = solve(net, [Candidate(c=1)], 200, prefix.held_out(images(40)), prefix.held_out(images(30, 9))).candidates
    assert torch.isfinite(one.parameters["fc4.weight"]).all()
    assert one.val_accuracy > 0.9


@pytest.mark.filterwarnings("error")
def test_one_image_a_class_is_nothing_to_warn_of() -> None:
    net = network()
    net.fc4 = torch.nn.Linear(16, 21)  # scikit-learn doubts 21 classes of 21 images, and no fewer
    net.freeze(3)
    one_each = Images(images(21).pixels, torch.arange(21))
    prefix = Prefix(net.eval(), net.prefix(3), preprocessing(), one_each, 2, seed=3)
    train, val = prefix.held_out(one_each), prefix.held_out(images(30, 9))
    assert len(solve(net, [Candidate(c=1)], 200, train, val).candidates) == 1
