"""Caffe's SGD (src/caffe/solvers/sgd_solver.cpp): V = mu V + lr * lr_mult * (g + decay * decay_mult * W); W -= V.

Weights have lr_mult 1 and decay_mult 1, Caffe's biases 2 and 0; copied blocks have the study's `copied_rate` on top.
In timm's networks nothing learns at twice the rate, and what is no matrix (biases, norms, tokens) does not decay.
torch's own SGD keeps the rate outside V, which differs when the rate drops; importing it costs a short job a second.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.schemes import Scheme
from freeze_or_tune.settings import Solver


@dataclass(frozen=True)
class _Learning:
    """A parameter that learns: its velocity V, its rate relative to the solver's, and its decay."""

    name: str
    parameter: nn.Parameter
    velocity: Tensor
    rate: float
    decay: float


class StepSGD:
    """SGD with momentum over the trainable blocks of a scheme; the rate drops at given iterations."""

    def __init__(self, network: Layered, scheme: Scheme, solver: Solver, iterations: int) -> None:
        """Freeze what the scheme freezes; the rest learns at rates by block and kind."""
        self.solver = solver
        self.drops = [round(fraction * iterations) for fraction in solver.drops]
        network.freeze(scheme.frozen)
        self._learning = [
            *self._learn(network, range(scheme.frozen + 1, scheme.copied + 1), solver.copied_rate),
            *self._learn(network, range(scheme.copied + 1, scheme.blocks + 1), 1.0),
        ]

    def _learn(self, network: Layered, blocks: range, rate: float) -> list[_Learning]:
        return [
            _Learning(
                name, parameter, torch.zeros_like(parameter),
                rate=rate * (network.bias_rate if name.endswith(".bias") else 1),
                decay=self.solver.weight_decay if name.endswith(".weight") and parameter.ndim > 1 else 0.0,
            )
            for name, parameter in network.parameters_of(blocks)
        ]  # fmt: skip

    @property
    def velocities(self) -> dict[str, Tensor]:
        """V by the name of its parameter."""
        return {learning.name: learning.velocity for learning in self._learning}

    def rate(self, iteration: int) -> float:
        """The learning rate of new weights at iteration 0, 1, ..."""
        return self.solver.learning_rate * self.solver.gamma ** sum(drop <= iteration for drop in self.drops)

    @torch.no_grad()
    def step(self, iteration: int) -> None:
        """Update with the gradients of iteration 0, 1, ... and clear them."""
        rate = self.rate(iteration)
        for learning in self._learning:
            parameter, velocity = learning.parameter, learning.velocity
            assert parameter.grad is not None
            gradient = parameter.grad.add_(parameter, alpha=learning.decay) if learning.decay else parameter.grad
            velocity.mul_(self.solver.momentum).add_(gradient, alpha=rate * learning.rate)
            parameter.sub_(velocity)
            parameter.grad = None
