"""Caffe's SGD (src/caffe/solvers/sgd_solver.cpp) on top of torch's.

Caffe: V = mu V + lr * lr_mult * (g + decay * decay_mult * W); W -= V. Weights have lr_mult 1 and decay_mult 1, biases
2 and 0; copied layers have the study's `copied_rate` on top. torch keeps the rate outside V, which differs only
when the rate drops; there the momentum buffers are scaled by old/new rate.
"""

import torch

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.schemes import Scheme
from freeze_or_tune.study import Solver


class StepSGD:
    """SGD with momentum over the trainable blocks of a scheme; the rate drops at given iterations."""

    def __init__(self, network: Layered, scheme: Scheme, solver: Solver, iterations: int) -> None:
        """Freeze what the scheme freezes and put the rest into groups by rate and decay."""
        self.solver = solver
        self.drops = [round(fraction * iterations) for fraction in solver.drops]
        tuned = range(1, scheme.copied + 1) if scheme.mode == "T" else range(0)
        for _, parameter in network.parameters_of(range(1, scheme.frozen + 1)):
            parameter.requires_grad_(False)
        groups = [
            {
                "params": [p for name, p in network.parameters_of(blocks) if name.endswith(kind)],
                "lr": solver.learning_rate * rate * bias_rate,
                "weight_decay": decay,
            }
            for blocks, rate in ((tuned, solver.copied_rate), (range(scheme.copied + 1, scheme.blocks + 1), 1.0))
            for kind, bias_rate, decay in ((".weight", 1.0, solver.weight_decay), (".bias", 2.0, 0.0))
        ]
        self.optimiser = torch.optim.SGD(
            [group for group in groups if group["params"]], lr=solver.learning_rate, momentum=solver.momentum
        )

    def step(self, iteration: int) -> None:
        """Update with the gradients of iteration 0, 1, ... and clear them."""
        for _ in range(self.drops.count(iteration)):
            self._drop()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)

    def _drop(self) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] *= self.solver.gamma
            for parameter in group["params"]:
                momentum = self.optimiser.state[parameter].get("momentum_buffer")
                if momentum is not None:
                    momentum.div_(self.solver.gamma)
