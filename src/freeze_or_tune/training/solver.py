"""Caffe's SGD (src/caffe/solvers/sgd_solver.cpp): V = mu V + lr * lr_mult * (g + decay * decay_mult * W); W -= V.

Weights have lr_mult 1 and decay_mult 1, Caffe's biases 2 and 0; copied blocks have the study's `copied_rate` on top.
In timm's networks nothing learns at twice the rate, and what is no matrix (biases, norms, tokens) does not decay.

torch's SGD keeps the rate outside V, which is the same if V is scaled where the rate drops. Its fused kernel, which
reads parameters, gradients and V once, is called directly: importing torch.optim costs a short job a second.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Solver


@dataclass(frozen=True)
class _Group:
    """Parameters that learn alike, their velocities V / lr, the rate relative to the solver's, and the decay."""

    rate: float
    decay: float
    parameters: list[Tensor] = field(default_factory=list)
    velocities: list[Tensor] = field(default_factory=list)


class StepSGD:
    """SGD with momentum over the trainable blocks of a scheme; the rate drops at given iterations."""

    def __init__(self, network: Layered, scheme: Scheme, solver: Solver, iterations: int) -> None:
        """Freeze what the scheme freezes; the rest learns at rates by block and kind."""
        self.solver = solver
        self.drops = [round(fraction * iterations) for fraction in solver.drops]
        self.velocities: dict[str, Tensor] = {}
        """V / lr by the name of its parameter."""
        self._groups: dict[tuple[float, float], _Group] = {}
        network.freeze(scheme.frozen)
        self._learn(network, range(scheme.frozen + 1, scheme.copied + 1), solver.copied_rate)
        self._learn(network, range(scheme.copied + 1, scheme.blocks + 1), 1.0)

    def _learn(self, network: Layered, blocks: range, block_rate: float) -> None:
        for name, parameter in network.parameters_of(blocks):
            rate = block_rate * (network.bias_rate if name.endswith(".bias") else 1)
            decay = self.solver.weight_decay if name.endswith(".weight") and parameter.ndim > 1 else 0.0
            group = self._groups.setdefault((rate, decay), _Group(rate, decay))
            self.velocities[name] = torch.zeros_like(parameter)
            group.parameters.append(parameter)
            group.velocities.append(self.velocities[name])

    def rate(self, iteration: int) -> float:
        """The learning rate of new weights at iteration 0, 1, ..."""
        return self.solver.learning_rate * self.solver.gamma ** sum(drop <= iteration for drop in self.drops)

    @torch.no_grad()
    def step(self, iteration: int) -> None:
        """Update with the gradients of iteration 0, 1, ... and clear them."""
        rate = self.rate(iteration)
        if iteration in self.drops:
            for velocity in self.velocities.values():
                velocity.mul_(self.rate(iteration - 1) / rate)
        for group in self._groups.values():
            gradients = [parameter.grad for parameter in group.parameters if parameter.grad is not None]
            momentum = self.solver.momentum
            torch._fused_sgd_(
                group.parameters, gradients, group.velocities if momentum else [], lr=rate * group.rate,
                momentum=momentum, weight_decay=group.decay, dampening=0.0, nesterov=False, maximize=False,
                is_first_step=False,
            )  # fmt: skip
            for parameter in group.parameters:
                parameter.grad = None
