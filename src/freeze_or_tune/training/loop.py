"""One run: train, look at validation now and then, keep the best, look at the test set once."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from freeze_or_tune.errors import UserError
from freeze_or_tune.hashing import stable_seed
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.records import CurvePoint
from freeze_or_tune.schemes import Scheme
from freeze_or_tune.study import Solver
from freeze_or_tune.training.prefix import HeldOut, Prefix
from freeze_or_tune.training.progress import Progress
from freeze_or_tune.training.solver import StepSGD

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """The end of a run; the network holds the parameters of its best iteration."""

    iterations: int
    best_iteration: int
    val_accuracy: float
    curve: tuple[CurvePoint, ...]


def data_order(images: int, batch: int, iterations: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """(indices, epochs) of each batch: a new permutation of all images each epoch, batches running across epochs."""
    permutations: dict[int, np.ndarray] = {}

    def permutation(epoch: int) -> np.ndarray:
        if epoch not in permutations:
            permutations.clear()
            permutations[epoch] = np.random.default_rng(stable_seed(seed, "order", epoch)).permutation(images)
        return permutations[epoch]

    for iteration in range(iterations):
        places = np.arange(iteration * batch, (iteration + 1) * batch)
        epochs = places // images
        indices = np.concatenate(
            [permutation(epoch)[places[epochs == epoch] % images] for epoch in np.unique(epochs).tolist()]
        )
        yield torch.from_numpy(indices), torch.from_numpy(epochs)


def train(network: Layered, scheme: Scheme, solver: Solver, prefix: Prefix, val: HeldOut, seed: int) -> Trained:
    """Train `network` in place (section 3 of the paper) and leave it at its best iteration on validation.

    Best is the highest validation accuracy, then the lowest validation loss. The same seed, machine and number of
    threads give the same bits.
    """
    torch.manual_seed(seed)  # dropout
    views = torch.Generator().manual_seed(stable_seed(seed, "views"))
    iterations = solver.iterations(len(prefix.images))
    optimiser = StepSGD(network, scheme, solver, iterations)
    checks = {round(iterations * (i + 1) / solver.evaluations) for i in range(solver.evaluations)}
    best: tuple[float, float] | None = None
    curve: list[CurvePoint] = []
    losses: list[Tensor] = []
    network.train()
    with Progress(iterations, solver.batch) as progress:
        for done, (indices, epochs) in enumerate(
            data_order(len(prefix.images), solver.batch, iterations, seed), start=1
        ):
            inputs = prefix.batch(indices, epochs, views)
            loss = F.cross_entropy(network(inputs, start=prefix.cut), prefix.images.labels[indices])
            loss.backward()
            optimiser.step(done - 1)
            losses.append(loss.detach())
            if done in checks:
                accuracy, val_loss = evaluate(network, val)
                curve.append(CurvePoint(iteration=done, loss=_mean_loss(losses, done), val_accuracy=accuracy))
                losses.clear()
                if best is None or (accuracy, -val_loss) > best:
                    best, best_iteration, best_state = (accuracy, -val_loss), done, _trainable(network)
                network.train()
                progress.measured(done, curve[-1])
            progress.step()
    assert best is not None
    network.load_state_dict(best_state, strict=False)
    return Trained(iterations, best_iteration, best[0], tuple(curve))


def evaluate(network: Layered, held_out: HeldOut) -> tuple[float, float]:
    """(accuracy, mean cross-entropy) on held-out images."""
    logits = held_out.predictions(network)
    correct = (logits.argmax(1) == held_out.labels).double().mean()
    return float(correct), float(F.cross_entropy(logits, held_out.labels))


def class_accuracies(network: Layered, held_out: HeldOut) -> tuple[float, float]:
    """(accuracy over images, mean over classes of the accuracy within the class)."""
    correct = held_out.predictions(network).argmax(1) == held_out.labels
    counts = torch.bincount(held_out.labels)
    # Counted without bincount's `weights`, which no GPU sums deterministically.
    per_class = torch.bincount(held_out.labels[correct], minlength=len(counts)).double() / counts
    return float(correct.double().mean()), float(per_class[counts > 0].mean())


def _trainable(network: Layered) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in network.named_parameters() if p.requires_grad}


def _mean_loss(losses: list[Tensor], iteration: int) -> float:
    mean = float(torch.stack(losses).mean())
    if not np.isfinite(mean):
        raise UserError(f"the loss is {mean} at iteration {iteration}; lower the study's solver.learning_rate")
    return mean
