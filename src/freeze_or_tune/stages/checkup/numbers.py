"""Whether a device computes what it should: as double precision does, twice the same, and the same after a stop."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.records.checkup import Finding
from freeze_or_tune.stages.checkup.trials import Trial, schemes
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.checkpoint import Checkpoints, State, Stopped
from freeze_or_tune.training.device import computing_in
from freeze_or_tune.training.learners import Replicas, learners
from freeze_or_tune.training.loop import Training, train
from freeze_or_tune.training.prefix import Prefix

TOLERANCE = 1e-4
"""Of losses and gradients in single precision, relative to double precision."""
_ROUNDING = 5 * torch.finfo(torch.float32).eps
"""Relative error of all weights that moves gradients as far as computing in single precision does (measured)."""
_MARGIN = 3
"""How many times as far a device may be."""
_SMALL = 1e-3
"""Of the largest gradient: of smaller ones (biases before a norm have none) the difference is measured against this."""
_BATCH = 4
_ITERATIONS = 4
_BATCHES = 3
_CPU = torch.device("cpu")

_Step = tuple[Tensor, dict[str, Tensor]]
"""Loss, and gradients by parameter."""


def agreement(trial: Trial, device: torch.device) -> Iterator[Finding]:
    """A step of each kind of scheme in single precision on the device, against double precision on the CPU.

    Deep networks of ReLUs are not smooth: a number next to zero that is rounded to the other side changes gradients by
    far more than was rounded. What exceeds the tolerance is compared with what rounding of the weights alone does, and
    tried on other batches.
    """
    for scheme in schemes(trial.network.blocks):
        apart, allowed = min(_until_close(trial, scheme, device), key=lambda pair: pair[0] / pair[1])
        rounded = f", as far as rounding moves them ({allowed / _MARGIN:.0e})" if allowed > TOLERANCE else ""
        yield Finding(
            section="Numbers", name=f"{trial.name}, {scheme}",
            value=f"loss and gradients within {apart:.0e} of double precision{rounded}",
            remedy="" if apart <= allowed else (
                f"a training step of {scheme} is {apart:.0e} away from what the CPU computes in double precision, more "
                f"than {allowed:.0e}: do not train here; try another build of torch, or another node"
            ),
        )  # fmt: skip


def _until_close(trial: Trial, scheme: Scheme, device: torch.device) -> Iterator[tuple[float, float]]:
    """How far apart single and double precision are, and may be: on some batches, up to the first that is right."""
    for seed in range(_BATCHES):
        exact = _step(trial, scheme, _CPU, torch.float64, seed)
        apart, allowed = _apart(_step(trial, scheme, device, torch.float32, seed), exact), TOLERANCE
        if apart > allowed:
            rounded = _step(trial, scheme, _CPU, torch.float64, seed, _ROUNDING)
            allowed = max(allowed, _MARGIN * _apart(rounded, exact))
        yield apart, allowed
        if apart <= allowed:
            return


def _step(
    trial: Trial, scheme: Scheme, device: torch.device, dtype: torch.dtype, seed: int, rounding: float = 0.0
) -> _Step:
    """One step on the batch of a seed; `rounding`: every weight is off by so much at most, relative to itself."""
    network = trial.made(device, dtype, chance=False)
    if rounding:
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(1 + rounding * (2 * torch.rand(parameter.shape, generator=generator, dtype=dtype) - 1))
    solver = Solver()
    learner = Replicas([network], scheme, solver)
    learner.parameters(0, solver.candidates(scheme)[0])
    learner.train()
    views, labels = trial.views(_BATCH, device, seed)
    start = network.first_layer(scheme.frozen + 1)
    with torch.no_grad():
        inputs = network(views.to(dtype), stop=start)
    (loss,) = learner.losses(inputs, labels, start, [0])
    return loss, learner.gradients(0)


def _apart(one: _Step, exact: _Step) -> float:
    """The largest relative difference of the loss and the gradients of each parameter; infinite if a number is."""
    found, truth = ({"": loss, **gradients} for loss, gradients in (one, exact))
    sizes = {name: float(value.double().norm()) for name, value in truth.items()}
    least = _SMALL * max(size for name, size in sizes.items() if name)
    differences = torch.tensor([
        float((found[name].to(_CPU).double() - truth[name].double()).norm()) / max(size, least)
        for name, size in sizes.items()
    ])  # fmt: skip
    return float(differences.nan_to_num(torch.inf).max())


def repetition(trial: Trial, solver: Solver, device: torch.device, folder: Path) -> Iterator[Finding]:
    """A short training, the same again, and the same with a stop and a start, of a tuned and a frozen scheme.

    Checkpoints lie in `folder` for a moment.
    """
    for scheme in list(schemes(trial.network.blocks))[:2]:
        whole = _trained(trial, scheme, solver, device)
        again = _trained(trial, scheme, solver, device)
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as own:
            try:
                _trained(trial, scheme, solver, device, _StopsHalfway(Path(own), 0))
            except Stopped:
                resumed = _trained(trial, scheme, solver, device, Checkpoints(Path(own), 1e9))
        for what, other in (("again", again), ("stopped, resumed", resumed)):
            same = _same(whole, other)
            yield Finding(
                section="Numbers", name=f"{trial.name}, {scheme}, {what}",
                value="the same bits" if same else "other bits",
                remedy="" if same else f"{scheme}, {what}, ends with other numbers: what is run again here will differ",
            )  # fmt: skip


class _StopsHalfway(Checkpoints):
    """Saves after each step, and asks to stop in the middle."""

    def save(self, state: State) -> None:
        super().save(state)
        if state["iteration"] == _ITERATIONS // 2:
            raise Stopped("halfway")


def _trained(
    trial: Trial, scheme: Scheme, solver: Solver, device: torch.device, checkpoints: Checkpoints | None = None
) -> Training:
    """A run of a few iterations as an experiment has it, with one candidate."""
    few = solver.model_copy(update={
        "batch": _BATCH, "min_iterations": _ITERATIONS, "max_iterations": _ITERATIONS, "evaluations": 1,
        "learning_rate": 1e-4, "c": None, "search": None, "views": min(solver.views, 2),
    })  # fmt: skip

    def made() -> Layered:
        return trial.made(device)

    frozen, images = made().eval(), trial.images(2 * _BATCH, device)
    cut = frozen.prefix(scheme.frozen, few.frozen_dropout)
    prefix = Prefix(frozen, cut, trial.preprocessing(device), images, few.views, seed=0, cache=Cache(device))
    with computing_in(few.precision, device):
        return train(learners(made, scheme, few), scheme, few, prefix, prefix.held_out(images), 0, checkpoints)


def _same(one: Training, other: Training) -> bool:
    """Whether two trainings went the same way and learnt the same, bit for bit."""
    ours, theirs = one.candidates[0].parameters, other.candidates[0].parameters
    return one == other and all(torch.equal(ours[name], theirs[name]) for name in ours)
