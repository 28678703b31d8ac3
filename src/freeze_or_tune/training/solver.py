"""Caffe's SGD (src/caffe/solvers/sgd_solver.cpp): V = mu V + lr * lr_mult * (g + decay * decay_mult * W); W -= V.

Weights have lr_mult 1 and decay_mult 1, Caffe's biases 2 and 0; copied blocks have the study's `copied_rate` on top.
In timm's networks nothing learns at twice the rate, and what is no matrix (biases, norms, tokens) does not decay.

torch's SGD keeps the rate outside V, which is the same if V is scaled where the rate drops. AdamW is torch's, too
(Loshchilov and Hutter 2019); biases learn at the rate of weights.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Candidate, Method, Solver
from freeze_or_tune.training import updates


@dataclass(frozen=True)
class Learnable:
    """A parameter that learns, its rate relative to the solver's, and whether it decays."""

    value: Tensor
    rate: float
    decays: bool


def learnables(
    network: Layered, scheme: Scheme, solver: Solver, candidate: Candidate | None = None
) -> dict[str, Learnable]:
    """Freeze what the scheme freezes; the rest, by name, learns at rates by block and kind.

    Method and rate of copied layers are the candidate's, or the solver's own.
    """
    network.freeze(scheme.frozen, scheme.settled)
    if "b" in scheme.variant:
        vectors = network.vectors()
        for name, parameter in network.parameters_of(range(scheme.frozen + 1, scheme.copied + 1)):
            parameter.requires_grad_(name in vectors)
    method, copied_rate = solver.method, solver.copied_rate
    if candidate is not None:
        method = solver.method_of(candidate)
        copied_rate = copied_rate if candidate.copied_rate is None else candidate.copied_rate
    bias_rate = network.bias_rate if method == "sgd" else 1.0
    parts = (
        (range(scheme.frozen + 1, scheme.copied + 1), copied_rate),
        (range(scheme.copied + 1, scheme.blocks + 1), 1.0),
    )
    return {
        name: Learnable(
            value=parameter,
            rate=block_rate * (bias_rate if name.endswith(".bias") else 1),
            decays=name.endswith(".weight") and parameter.ndim > 1,
        )
        for blocks, block_rate in parts
        for name, parameter in network.parameters_of(blocks)
        if parameter.requires_grad
    }


@dataclass(frozen=True)
class _Group:
    """Parameters that learn alike, their moments, the rate relative to the solver's, and the decay."""

    rate: float
    decay: float
    names: list[str] = field(default_factory=list)
    parameters: list[Tensor] = field(default_factory=list)
    moments: list[list[Tensor]] = field(default_factory=list)
    """As many of each parameter as the method has."""


class Optimiser(ABC):
    """What changes the parameters of one candidate of a run."""

    moments: tuple[str, ...]
    """What it remembers of each parameter."""

    def __init__(
        self, parameters: Mapping[str, Learnable], solver: Solver, iterations: int, candidate: Candidate | None = None
    ) -> None:
        """Begin at iteration 0 of a run; the rate and the decay are the candidate's, or the solver's own."""
        self.solver, self.iterations = solver, iterations
        self.candidate = candidate or Candidate(solver.learning_rate, solver.weight_decay)
        self._learning_rate = self.candidate.learning_rate or solver.learning_rate
        self.drops = [round(fraction * iterations) for fraction in solver.drops]
        self.warm_up = round(solver.warm_up * iterations)
        self.state: dict[str, Tensor] = {}
        """All that it remembers, by the name of the parameter (and of the moment, if there are several)."""
        self._groups: dict[tuple[float, float], _Group] = {}
        for name, one in parameters.items():
            decay = (self.candidate.weight_decay or 0.0) if one.decays else 0.0
            group = self._groups.setdefault((one.rate, decay), _Group(one.rate, decay))
            group.names.append(name)
            group.parameters.append(one.value)
            for place, moment in enumerate(self.moments):
                if place == len(group.moments):
                    group.moments.append([])
                key = f"{name}{moment}"
                self.state[key] = torch.zeros_like(one.value.detach())
                group.moments[place].append(self.state[key])

    def rate(self, iteration: int) -> float:
        """The learning rate of new weights at iteration 0, 1, ..."""
        rate = self._learning_rate
        if iteration < self.warm_up:
            return rate * (iteration + 1) / self.warm_up
        if self.solver.schedule == "cosine":
            done = (iteration - self.warm_up) / (self.iterations - self.warm_up)
            return rate * (1 + math.cos(math.pi * done)) / 2
        return rate * self.solver.gamma ** sum(drop <= iteration for drop in self.drops)

    @torch.no_grad()
    def step(self, iteration: int, gradients: Mapping[str, Tensor]) -> None:
        """Update with the gradients of iteration 0, 1, ..., by parameter; they may be scaled in place."""
        if self.solver.clip is not None:
            norm = torch.nn.utils.get_total_norm(gradients.values())
            updates.scale(list(gradients.values()), (self.solver.clip / (norm + 1e-6)).clamp(max=1))
        rate = self.rate(iteration)
        self._before(iteration, rate)
        for group in self._groups.values():
            self._update(group, [gradients[name] for name in group.names], rate * group.rate)

    def forget(self) -> None:
        """Free the memory: there will be no further step."""
        self.state, self._groups = {}, {}

    @abstractmethod
    def _before(self, iteration: int, rate: float) -> None:
        """Make ready for a step."""

    @abstractmethod
    def _update(self, group: _Group, gradients: list[Tensor], rate: float) -> None:
        """Update parameters that learn alike."""


class StepSGD(Optimiser):
    """SGD with momentum; its state is V / lr."""

    moments = ("",)

    def _before(self, iteration: int, rate: float) -> None:
        # Caffe's V holds the rate it was made at. Where the rate changes all the time nothing is gained by it.
        if self.solver.schedule == "steps" and iteration and iteration in self.drops:
            for velocity in self.state.values():
                velocity.mul_(self.rate(iteration - 1) / rate)

    def _update(self, group: _Group, gradients: list[Tensor], rate: float) -> None:
        updates.sgd(
            group.parameters, gradients, group.moments[0], rate=rate, momentum=self.solver.momentum, decay=group.decay
        )


class AdamW(Optimiser):
    """Adam with decoupled decay, at torch's betas and epsilon."""

    moments = (".mean", ".square")

    def __init__(
        self, parameters: Mapping[str, Learnable], solver: Solver, iterations: int, candidate: Candidate | None = None
    ) -> None:
        """As of all."""
        super().__init__(parameters, solver, iterations, candidate)
        self._step, self._on_device = 0, torch.zeros((), device=next(iter(self.state.values())).device)

    def _before(self, iteration: int, rate: float) -> None:
        self._step = iteration + 1
        self._on_device.fill_(self._step)  # a new tensor would make the step wait until the GPU has done all before

    def _update(self, group: _Group, gradients: list[Tensor], rate: float) -> None:
        updates.adamw(
            group.parameters, gradients, *group.moments, step=self._step, step_on_device=self._on_device, rate=rate,
            decay=group.decay,
        )  # fmt: skip


_METHODS: dict[Method, type[Optimiser]] = {"sgd": StepSGD, "adamw": AdamW}


def optimiser_of(
    parameters: Mapping[str, Learnable], solver: Solver, iterations: int, candidate: Candidate | None = None
) -> Optimiser:
    """The optimiser of the candidate's method, or the solver's own."""
    method = solver.method if candidate is None else solver.method_of(candidate)
    return _METHODS[method](parameters, solver, iterations, candidate)


def gradients_of(parameters: Mapping[str, Learnable]) -> dict[str, Tensor]:
    """Take the gradients, by name: their parameters have none then."""
    taken = {name: one.value.grad for name, one in parameters.items() if one.value.grad is not None}
    for one in parameters.values():
        one.value.grad = None
    return taken
