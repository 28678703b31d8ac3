"""The steps of SGD and AdamW: torch's fused kernels, or plain operations where a later torch has none of these names.

The kernels read parameters, gradients and moments once, but are private to torch; its public optimisers call them, too,
and load its compiler first, which costs a short job a second. On a CPU both ways give the same bits but in what is left
of a tensor behind its last whole vector (16 numbers at most): there the kernel's compiler rounds a product and a sum at
once, or does not, as it likes, and the last bit may differ.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

BETAS = (0.9, 0.999)
EPSILON = 1e-8
"""torch's own, and Adam's."""


def sgd(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor], velocities: Sequence[Tensor], *,
    rate: float, momentum: float, decay: float,
) -> None:  # fmt: skip
    """V = momentum V + g + decay W; W -= rate V, in place. Without momentum the velocities stay as they are."""
    if kernel := _kernel("_fused_sgd_"):
        kernel(
            parameters, gradients, velocities if momentum else [], lr=rate, momentum=momentum, weight_decay=decay,
            dampening=0.0, nesterov=False, maximize=False, is_first_step=False,
        )  # fmt: skip
        return
    for parameter, gradient, velocity in zip(parameters, gradients, velocities, strict=True):
        change = gradient.add(parameter, alpha=decay) if decay else gradient
        if momentum:
            change = velocity.mul_(momentum).add_(change)
        parameter.add_(change, alpha=-rate)


def adamw(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor], means: Sequence[Tensor], squares: Sequence[Tensor], *,
    step: int, step_on_device: Tensor, rate: float, decay: float,
) -> None:  # fmt: skip
    """Adam with decoupled decay at step 1, 2, ..., in place; the kernel takes the step from a tensor."""
    first, second = BETAS
    if kernel := _kernel("_fused_adamw_"):
        kernel(
            parameters, gradients, means, squares, [], [step_on_device] * len(parameters), lr=rate, beta1=first,
            beta2=second, weight_decay=decay, eps=EPSILON, amsgrad=False, maximize=False,
        )  # fmt: skip
        return
    length, scale = rate / (1 - first**step), math.sqrt(1 - second**step)
    for parameter, gradient, mean, square in zip(parameters, gradients, means, squares, strict=True):
        parameter.mul_(1 - rate * decay)
        mean.lerp_(gradient, 1 - first)
        square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        root = square.double().sqrt().to(square.dtype)  # rounded rightly, as the kernel does; sqrt alone may not be
        parameter.addcdiv_(mean, root.div_(scale).add_(EPSILON), value=-length)


def scale(tensors: Sequence[Tensor], factor: Tensor) -> None:
    """Multiply all in place."""
    if kernel := _kernel("_foreach_mul_"):
        kernel(tensors, factor)
        return
    for tensor in tensors:
        tensor.mul_(factor)


def _kernel(name: str) -> Callable[..., Any] | None:
    return getattr(torch, name, None)
