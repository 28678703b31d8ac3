"""What anybody would try first: scikit-learn on the features, and a plain AdamW loop over the whole network."""

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from freeze_or_tune.networks.build import build, scale_of
from freeze_or_tune.networks.weights import Pretrained
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.solver import Solver

CS = np.logspace(-5, 1, 13)
RATES = (1e-3, 3e-4, 3e-3, 1e-4, 1e-2, 3e-5)
"""Of AdamW, in the order in which a user would try them."""


def frozen_by_hand(
    features: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray], refit: bool = False
) -> np.ndarray:
    """On which test images scikit-learn's logistic regression is right, from features [N, D] of each subset.

    Of the C that is best on validation; if asked to, fitted once more with it to all images but those that test.
    """
    models = {c: regression(c).fit(features["train"], labels["train"]) for c in CS}
    best = max(models, key=lambda c: models[c].score(features["val"], labels["val"]))
    model = models[best]
    if refit:
        inputs, wanted = (np.concatenate([part["train"], part["val"]]) for part in (features, labels))
        model = regression(best).fit(inputs, wanted)
    return np.asarray(model.predict(features["test"]) == labels["test"])


def regression(c: float) -> Pipeline:
    """Logistic regression on standardised features."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))


@dataclass(frozen=True)
class Tuning:
    """A plain AdamW loop over all of a network but a new classifier, with a solver's steps, batches and looks."""

    sizes: Network
    pretrained: Pretrained
    solver: Solver
    pixels: Mapping[str, Tensor]
    """uint8 [N, size, size, 3] of each subset."""
    labels: Mapping[str, Tensor]

    def right(self, rates: Sequence[float], seed: int, refit: bool = False) -> np.ndarray:
        """On which test images it is right, at the rate that is best on validation.

        If asked to, trained once more at it, to the end, on all images but those that test.
        """
        pixels = self.pixels
        found = [self._train(pixels["train"], self.labels["train"], rate, seed, look=True) for rate in rates]
        place = max(range(len(rates)), key=lambda number: found[number][0])
        network = found[place][1]
        if refit:
            inputs, wanted = (torch.cat([part["train"], part["val"]]) for part in (pixels, self.labels))
            _, network = self._train(inputs, wanted, rates[place], seed, look=False)
        return self._right(network, "test").numpy()

    def _train(self, pixels: Tensor, labels: Tensor, rate: float, seed: int, look: bool) -> tuple[float, nn.Module]:
        """Validation accuracy and network at the best look, or the network at the end if it does not look."""
        torch.manual_seed(seed)
        sizes, solver, room = self.sizes, self.solver, self.sizes.image_size - self.sizes.crop
        network = build(sizes, int(labels.max()) + 1, seed, sizes.blocks)
        self.pretrained.copy_to(network, range(1, sizes.blocks))
        network.train()
        optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.05)
        steps = solver.iterations(len(labels))
        warm_up = steps // 10
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser,
            lambda i: (
                (i + 1) / warm_up if i < warm_up else (1 + math.cos(math.pi * (i - warm_up) / (steps - warm_up))) / 2
            ),
        )
        looks = {round(steps * (i + 1) / solver.evaluations) for i in range(solver.evaluations)}
        order = _order(len(labels), solver.batch)
        top, kept = -1.0, network.state_dict()
        for step in range(1, steps + 1):
            rows = next(order)
            crops = torch.randint(room + 1, (len(rows), 2)).tolist()
            inputs = torch.cat([self._cut(pixels[row : row + 1], *crop) for row, crop in zip(rows, crops, strict=True)])
            optimiser.zero_grad()
            F.cross_entropy(network(inputs), labels[rows]).backward()
            optimiser.step()
            schedule.step()
            if look and step in looks and (now := float(self._right(network, "val").double().mean())) > top:
                top, kept = now, deepcopy(network.state_dict())
        if look:
            network.load_state_dict(kept)
        return top, network

    def _cut(self, images: Tensor, top: int, left: int) -> Tensor:
        scale, crop = scale_of(self.sizes, torch.device("cpu")), self.sizes.crop
        values = ((images.flip(-1) if self.sizes.bgr else images) - self.pretrained.mean) * scale
        return values[:, top : top + crop, left : left + crop].movedim(-1, 1)

    @torch.no_grad()
    def _right(self, network: nn.Module, subset: str) -> Tensor:
        corner = (self.sizes.image_size - self.sizes.crop) // 2
        network.eval()
        guesses = torch.cat(
            [network(self._cut(part, corner, corner)).argmax(1) for part in self.pixels[subset].split(100)]
        )
        network.train()
        return guesses == self.labels[subset]


def _order(images: int, batch: int) -> Iterator[list[int]]:
    """Batches of one permutation after another."""
    left: list[int] = []
    while True:
        while len(left) < batch:
            left += torch.randperm(images).tolist()
        yield left[:batch]
        left = left[batch:]
