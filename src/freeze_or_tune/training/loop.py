"""One run: train, look at validation now and then, keep the best, look at the test set once."""

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.records.experiment import CurvePoint
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Solver
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.batches import Batches
from freeze_or_tune.training.checkpoint import Checkpoints, State
from freeze_or_tune.training.prefix import HeldOut, Prefix
from freeze_or_tune.training.progress import Progress
from freeze_or_tune.training.solver import StepSGD


@dataclass(frozen=True)
class Trained:
    """The end of a run; the network holds the parameters of its best iteration."""

    iterations: int
    best_iteration: int
    val_accuracy: float
    curve: tuple[CurvePoint, ...]
    seconds: float = field(compare=False)
    """Of training, over all processes that took part."""


class _Run:
    """A run on its way: what changes from step to step."""

    def __init__(self, network: Layered, optimiser: StepSGD, batches: Batches) -> None:
        self.network, self.optimiser, self.batches = network, optimiser, batches
        self.done = 0
        self.seconds = 0.0
        self.losses: list[Tensor] = []
        self.curve: list[CurvePoint] = []
        self.best = (-1.0, -math.inf)
        self.best_iteration = 0
        self.best_parameters: dict[str, Tensor] = {}

    def step(self) -> None:
        """Learn from one batch."""
        start = time.perf_counter()
        inputs, labels = self.batches.next()
        loss = F.cross_entropy(self.network(inputs, start=self.batches.first).float(), labels)
        loss.backward()
        self.optimiser.step(self.done)
        self.losses.append(loss.detach())
        self.done += 1
        self.seconds += time.perf_counter() - start

    def look(self, val: HeldOut) -> None:
        """Measure validation accuracy and keep the parameters if they are the best so far."""
        start = time.perf_counter()
        accuracy, val_loss = evaluate(self.network, val)
        mean = float(torch.stack(self.losses).mean())
        if not math.isfinite(mean):
            raise UserError(f"the loss is {mean} at iteration {self.done}; lower the study's solver.learning_rate")
        self.curve.append(CurvePoint(iteration=self.done, loss=mean, val_accuracy=accuracy))
        self.losses.clear()
        if (accuracy, -val_loss) > self.best:
            self.best, self.best_iteration = (accuracy, -val_loss), self.done
            self.best_parameters = {name: value.clone() for name, value in self.network.learnt().items()}
        self.network.train()
        self.seconds += time.perf_counter() - start

    def state(self) -> State:
        """All that is needed to go on as if nothing had happened."""
        return {
            "iteration": self.done,
            "seconds": self.seconds,
            "parameters": self.network.learnt(),
            "velocities": self.optimiser.velocities,
            "losses": torch.stack(self.losses) if self.losses else torch.empty(0),
            "curve": [point.model_dump() for point in self.curve],
            "best": self.best,
            "best_iteration": self.best_iteration,
            "best_parameters": self.best_parameters,
            "batches": self.batches.state(),
        }

    def restore(self, state: State) -> None:
        """Go back to a state."""
        self.done, self.seconds = state["iteration"], state["seconds"]
        self.network.load_state_dict(state["parameters"], strict=False)
        for name, velocity in self.optimiser.velocities.items():
            velocity.copy_(state["velocities"][name])
        self.losses = list(state["losses"].unbind())
        self.curve = [CurvePoint(**point) for point in state["curve"]]
        self.best, self.best_iteration = tuple(state["best"]), state["best_iteration"]
        self.best_parameters = state["best_parameters"]
        self.batches.restore(self.done, state["batches"])


def train(
    network: Layered, scheme: Scheme, solver: Solver, prefix: Prefix, val: HeldOut, seed: int,
    checkpoints: Checkpoints | None = None,
) -> Trained:  # fmt: skip
    """Train `network` in place (section 3 of the paper) and leave it at its best iteration on validation.

    Best is the highest validation accuracy, then the lowest validation loss. The same seed, machine and number of
    threads give the same bits, also when the run is stopped and goes on from a checkpoint.
    """
    iterations = solver.iterations(len(prefix.images))
    optimiser = StepSGD(network, scheme, solver, iterations)
    run = _Run(network, optimiser, Batches(network, prefix, solver.batch, iterations, seed))
    network.train()
    if checkpoints is not None and (state := checkpoints.load()) is not None:
        run.restore(state)
    looks = {round(iterations * (i + 1) / solver.evaluations) for i in range(solver.evaluations)}
    with (
        Progress(iterations, solver.batch, run.done, str(scheme)) as progress,
        checkpoints.listening() if checkpoints is not None else nullcontext(),
    ):
        while run.done < iterations:
            run.step()
            progress.step()
            if run.done in looks:
                run.look(val)
                progress.measured(run.done, run.curve[-1])
            if checkpoints is not None and checkpoints.due:
                checkpoints.save(run.state())
    network.load_state_dict(run.best_parameters, strict=False)
    return Trained(iterations, run.best_iteration, run.best[0], tuple(run.curve), run.seconds)


def evaluate(network: Layered, held_out: HeldOut) -> tuple[float, float]:
    """(accuracy, mean cross-entropy) on held-out images."""
    logits = held_out.predictions(network)
    correct = (logits.argmax(1) == held_out.labels).double().mean()
    return float(correct), float(F.cross_entropy(logits, held_out.labels))


def correctness(network: Layered, held_out: HeldOut) -> Tensor:
    """Whether each held-out image is classified rightly: bool [N], in their order."""
    return held_out.predictions(network).argmax(1) == held_out.labels


def class_accuracies(correct: Tensor, labels: Tensor) -> tuple[float, float]:
    """(accuracy over images, mean over classes of the accuracy within the class)."""
    counts = torch.bincount(labels)
    # Counted without bincount's `weights`, which no GPU sums deterministically.
    per_class = torch.bincount(labels[correct], minlength=len(counts)).double() / counts
    return float(correct.double().mean()), float(per_class[counts > 0].mean())
