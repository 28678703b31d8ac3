"""One run: train its candidates, look at validation now and then, keep the best of each."""

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
from freeze_or_tune.study.solver import Candidate, Solver, kept
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.batches import Batches
from freeze_or_tune.training.checkpoint import Checkpoints, State
from freeze_or_tune.training.learners import Learners
from freeze_or_tune.training.prefix import HeldOut, Prefix
from freeze_or_tune.training.progress import Progress
from freeze_or_tune.training.solver import Optimiser, optimiser_of


@dataclass(frozen=True)
class Trained:
    """How a candidate went."""

    candidate: Candidate
    iterations: int
    """Fewer than the run's if it was stopped on the way, because others were better or its loss was infinite."""
    best_iteration: int
    val_accuracy: float
    val_loss: float
    curve: tuple[CurvePoint, ...]
    parameters: dict[str, Tensor] = field(compare=False)
    """What it learnt, at its best iteration."""

    @property
    def rank(self) -> tuple[float, float]:
        """The larger the better: validation accuracy, then the lowest validation loss; an infinite loss comes last."""
        return (self.val_accuracy, -self.val_loss) if math.isfinite(self.val_loss) else (-1.0, -math.inf)


@dataclass(frozen=True)
class Solved:
    """Candidates that are solved at once, and the seconds that it took."""

    candidates: tuple[Trained, ...]
    seconds: float


@dataclass(frozen=True)
class Training:
    """The end of a run: of each candidate, in the order of the solver's."""

    candidates: tuple[Trained, ...]
    iterations: int
    seconds: float = field(compare=False)
    """Of training, over all processes that took part."""

    @property
    def best(self) -> int:
        """The candidate that is best on validation, the first of equals."""
        return max(range(len(self.candidates)), key=lambda number: self.candidates[number].rank)

    def level(self, images: int) -> list[int]:
        """The candidates trained to the end that so many validation images cannot tell from the best of them.

        They lie within two standard errors of its accuracy; an error is that of one image at least.
        """
        whole = {n: one.val_accuracy for n, one in enumerate(self.candidates) if one.iterations == self.iterations}
        best = max(whole.values())
        error = max(math.sqrt(best * (1 - best) / images), 1 / images)
        return [number for number, accuracy in whole.items() if best - accuracy <= 2 * error]

    def joined(self, solved: Solved | None) -> "Training":
        """With candidates that were solved at once."""
        if solved is None:
            return self
        return Training(self.candidates + solved.candidates, self.iterations, self.seconds + solved.seconds)

    def leave(self, network: Layered) -> None:
        """Give a network of the run what the best candidate had learnt at its best iteration."""
        network.load_state_dict(self.candidates[self.best].parameters, strict=False)


class _Lane:
    """A candidate on its way: what changes from step to step, but for its parameters."""

    def __init__(self, number: int, optimiser: Optimiser) -> None:
        self.number, self.optimiser = number, optimiser
        self.losses: list[Tensor] = []
        self.curve: list[CurvePoint] = []
        self.best = (-1.0, -math.inf)
        self.best_iteration = 0
        self.best_parameters: dict[str, Tensor] = {}
        self.stopped: int | None = None

    def look(self, done: int, logits: Tensor, labels: Tensor, learnt: dict[str, Tensor]) -> None:
        """Note validation accuracy, and keep what is learnt if it is the best so far; stop at an infinite loss."""
        accuracy, val_loss = measures(logits, labels)
        mean = float(torch.stack(self.losses).mean())
        self.losses.clear()
        if not math.isfinite(mean):
            self.stopped = done
        else:
            self.curve.append(CurvePoint(iteration=done, loss=mean, val_accuracy=accuracy))
        if (accuracy, -val_loss) > self.best and (math.isfinite(mean) or not self.best_parameters):
            self.best, self.best_iteration = (accuracy, -val_loss if math.isfinite(val_loss) else -math.inf), done
            self.best_parameters = {name: value.clone() for name, value in learnt.items()}

    def state(self, learnt: dict[str, Tensor] | None) -> State:
        return {
            "learnt": learnt,
            "optimiser": self.optimiser.state,
            "losses": torch.stack(self.losses) if self.losses else torch.empty(0),
            "curve": [point.model_dump() for point in self.curve],
            "best": self.best,
            "best_iteration": self.best_iteration,
            "best_parameters": self.best_parameters,
            "stopped": self.stopped,
        }

    def restore(self, state: State, learnt: dict[str, Tensor]) -> None:
        """Go back to a state in host memory; `learnt` are the candidate's own tensors."""
        device = next(iter(learnt.values())).device
        self.stopped = state["stopped"]
        if self.stopped is None:
            _copy(state["learnt"], learnt)
            _copy(state["optimiser"], self.optimiser.state)
        self.losses = list(state["losses"].to(device).unbind())
        self.curve = [CurvePoint(**point) for point in state["curve"]]
        self.best, self.best_iteration = tuple(state["best"]), state["best_iteration"]
        self.best_parameters = {name: value.to(device) for name, value in state["best_parameters"].items()}


def _copy(values: dict[str, Tensor], to: dict[str, Tensor]) -> None:
    for name, value in to.items():
        value.copy_(values[name])


class _Run:
    """A run on its way."""

    def __init__(self, learners: Learners, lanes: list[_Lane], batches: Batches) -> None:
        self.learners, self.lanes, self.batches = learners, lanes, batches
        self.done = 0
        self.seconds = 0.0

    @property
    def alive(self) -> list[_Lane]:
        return [lane for lane in self.lanes if lane.stopped is None]

    def step(self, alive: list[_Lane]) -> None:
        """Learn from one batch."""
        start = time.perf_counter()
        inputs, labels = self.batches.next()
        losses = self.learners.losses(inputs, labels, self.batches.first, [lane.number for lane in alive])
        for lane, loss in zip(alive, losses, strict=True):
            lane.optimiser.step(self.done, self.learners.gradients(lane.number))
            lane.losses.append(loss)
        self.done += 1
        self.seconds += time.perf_counter() - start

    def look(self, val: HeldOut) -> None:
        """Measure validation accuracies."""
        start = time.perf_counter()
        alive = self.alive
        for lane, logits in zip(alive, self.learners.logits(val, [lane.number for lane in alive]), strict=True):
            lane.look(self.done, logits, val.labels, self.learners.learnt(lane.number))
        lost = [lane for lane in alive if lane.stopped is not None]
        if not self.alive:
            raise UserError(f"the loss is infinite at iteration {self.done}; lower the study's solver.learning_rate")
        for lane in lost:
            self._stop(lane)
        self.learners.train()
        self.seconds += time.perf_counter() - start

    def halve(self) -> None:
        """Stop the worse half of the candidates, but for the first, which is the solver's own."""
        others = sorted((lane for lane in self.alive if lane.number), key=lambda lane: lane.best)
        for lane in others[: len(others) - kept(len(others))]:
            lane.stopped = self.done
            self._stop(lane)

    def _stop(self, lane: _Lane) -> None:
        """Free the memory of a candidate that is stopped."""
        self.learners.stop(lane.number)
        lane.optimiser.forget()
        lane.losses.clear()

    def state(self) -> State:
        """All that is needed to go on as if nothing had happened."""
        lanes = [lane.state(self.learners.learnt(lane.number) if lane.stopped is None else None) for lane in self.lanes]
        return {"iteration": self.done, "seconds": self.seconds, "lanes": lanes, "batches": self.batches.state()}

    def restore(self, state: State) -> None:
        """Go back to a state."""
        self.done, self.seconds = state["iteration"], state["seconds"]
        for lane, saved in zip(self.lanes, state["lanes"], strict=True):
            lane.restore(saved, self.learners.learnt(lane.number))
            if lane.stopped is not None:
                self._stop(lane)
        self.batches.restore(self.done, state["batches"])

    def trained(self, lane: _Lane) -> Trained:
        """How a candidate went."""
        return Trained(
            lane.optimiser.candidate, lane.stopped or self.done, lane.best_iteration, lane.best[0], -lane.best[1],
            tuple(lane.curve), lane.best_parameters,
        )  # fmt: skip


def train(
    learners: Learners, scheme: Scheme, solver: Solver, prefix: Prefix, val: HeldOut, seed: int,
    checkpoints: Checkpoints | None = None,
) -> Training:  # fmt: skip
    """Train the candidates that learn by steps (section 3 of the paper); what each had learnt at its best is kept.

    Best is the highest validation accuracy, then the lowest validation loss. The same seed, machine and number of
    threads give the same bits, also when the run is stopped and goes on from a checkpoint.
    """
    iterations = solver.iterations(len(prefix.images))
    lanes = [
        _Lane(number, optimiser_of(learners.parameters(number, candidate), solver, iterations, candidate))
        for number, candidate in enumerate(solver.stepped(scheme))
    ]
    run = _Run(learners, lanes, Batches(learners.network, prefix, solver.batch, iterations, seed))
    learners.train()
    if checkpoints is not None:
        _go_on(run, checkpoints)
    looks = [round(iterations * (i + 1) / solver.evaluations) for i in range(solver.evaluations)]
    halvings = _halvings(learners, solver, looks, iterations)
    alive = run.alive
    with (
        Progress(iterations, solver.batch, run.done, str(scheme)) as progress,
        checkpoints.listening() if checkpoints is not None else nullcontext(),
        run.batches.ahead(run.done),
    ):
        while run.done < iterations:
            run.step(alive)
            progress.step()
            if run.done in looks:
                run.look(val)
                if run.done in halvings:
                    run.halve()
                alive = run.alive
                progress.measured(run.done, max(alive, key=lambda lane: lane.best).curve[-1])
            if checkpoints is not None and checkpoints.due:
                checkpoints.save(run.state())
    return Training(tuple(run.trained(lane) for lane in lanes), iterations, run.seconds)


def _go_on(run: _Run, checkpoints: Checkpoints) -> None:
    """Enter a run where it was interrupted; the state's memory is free afterwards."""
    if (state := checkpoints.load()) is not None:
        run.restore(state)


def _halvings(learners: Learners, solver: Solver, looks: list[int], iterations: int) -> set[int]:
    """After which iterations candidates are stopped: the first looks at or after the fractions of the search."""
    if solver.search is None or not learners.stops:
        return set()
    wanted = [fraction * iterations for fraction in solver.search.halvings]
    return {next(look for look in looks if look >= least) for least in wanted}


def measures(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """(accuracy, mean cross-entropy) of logits [N, classes]."""
    correct = (logits.argmax(1) == labels).double().mean()
    return float(correct), float(F.cross_entropy(logits, labels))


def class_accuracies(correct: Tensor, labels: Tensor) -> tuple[float, float]:
    """(accuracy over images, mean over classes of the accuracy within the class)."""
    counts = torch.bincount(labels)
    # Counted without bincount's `weights`, which no GPU sums deterministically.
    per_class = torch.bincount(labels[correct], minlength=len(counts)).double() / counts
    return float(correct.double().mean()), float(per_class[counts > 0].mean())
