import math

import numpy as np
import pytest
import torch
from torch import nn

from freeze_or_tune.networks.batch_norm import estimated_features, rectified_mean
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.zoo import timm_network
from freeze_or_tune.system.errors import UserError

from .small import drawn
from .zoo import small, stirred


@pytest.mark.parametrize("cap", [6.0, math.inf])
def test_the_closed_form_is_the_mean_of_draws(cap: float) -> None:
    means, deviations = np.meshgrid([-4.0, -0.5, 0.0, 1.0, 5.5, 9.0], [0.1, 1.0, 3.0])
    draws = np.random.default_rng(0).normal(size=(400_000, 1, 1)) * deviations + means
    rectified = np.clip(draws, 0, cap)
    ours = rectified_mean(torch.from_numpy(means), torch.from_numpy(deviations), cap).numpy()
    error = 5 * rectified.std(0) / math.sqrt(len(draws)) + 1e-6
    assert (abs(ours - rectified.mean(0)) < error).all()


@pytest.mark.slow
def test_what_the_last_batch_norm_saw_is_what_is_estimated() -> None:
    """A network whose features are Gaussian before the ReLU6, as the estimate takes them to be."""
    network = stirred(small("tf_efficientnet_lite0", 64)).eval()
    # The last norm's inputs: replaced by what its statistics say they were on the source.
    before = [name for name, _ in network.named_children()].index("bn2")
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2000, 1280, 4, 4, generator=generator)
    norm = network.bn2
    inputs = norm.running_mean[:, None, None] + noise * (norm.running_var[:, None, None] + norm.eps).sqrt()
    with torch.no_grad():
        features = network(inputs, start=before, stop=network.first_layer(10))
    error = 6 * features.std(0) / math.sqrt(len(features)) + 1e-5
    assert ((features.mean(0) - estimated_features(network)).abs() < error).all()
    assert features.max() > 0


@pytest.mark.parametrize("network", [drawn(), timm_network(small("resnet18", 40), 3, 0)], ids=["caffenet", "resnet"])
def test_networks_that_do_not_tell_are_refused(network: Layered) -> None:
    with pytest.raises(UserError, match=r"cannot be estimated.*name the source's dataset"):
        estimated_features(network)


def test_a_dead_channel_has_its_bias() -> None:
    norm = nn.BatchNorm2d(2)
    norm.act = nn.ReLU6()
    with torch.no_grad():
        norm.weight.zero_()
        norm.bias.copy_(torch.tensor([-1.0, 2.0]))
    network = Layered([{"norm": norm, "pool": nn.AdaptiveAvgPool2d(1)}, {"classifier": nn.Linear(2, 2)}])
    assert estimated_features(network).tolist() == pytest.approx([0, 2])
