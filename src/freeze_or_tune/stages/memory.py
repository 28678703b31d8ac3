"""Whether a network can be tuned in the memory that there is: said before training, not by the system that ends it."""

import torch
from torch import Tensor, nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.memory import WORKSPACE, chunk_of, tuning_bytes
from freeze_or_tune.records.probes import Profile
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Machine, TrainingSettings
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.cache import CHUNK, Cache, memory_budget
from freeze_or_tune.training.device import gpu_memory

_COPIES = 6
"""Of the parameters of each candidate: network, gradients, the optimiser's two, the best so far, and one on its way."""


_CLASSES = 1000
"""That the classifier may have, before the split is read: of what a network takes it is the least."""
_PASSING = 0.25
"""Of a GPU's memory, for images on their way through a network whose gradients nobody wants."""


def activations_of(network: Layered, view: Tensor) -> int:
    """Numbers that the layers of a network leave for a view of one image [1, 3, C, C]: what a backward pass needs."""
    kept: list[int] = []

    def count(_: nn.Module, __: object, outputs: object) -> None:
        kept.append(outputs.numel() if isinstance(outputs, Tensor) else 0)

    hooks = [module.register_forward_hook(count) for module in network.modules() if not list(module.children())]
    with torch.no_grad():
        network(view)
    for hook in hooks:
        hook.remove()
    return sum(kept)


def chunk_for(network: Network, machine: Machine, device: torch.device) -> int:
    """Images at once where no gradients are kept: fewer on a GPU of which a quarter does not hold so many."""
    if device.type != "cuda":
        return CHUNK
    return min(CHUNK, chunk_of(network, _PASSING * gpu_memory(machine, device)))


def needed_on_gpu(network: Network, batch: int, there: float, frozen: int = 0, candidates: int = 1) -> float:
    """Of a GPU with `there` bytes, those that no cache may take: for training, and for images that only pass."""
    return max(tuning_bytes(network, _CLASSES, batch, frozen, candidates), WORKSPACE + _PASSING * there)


def cache_for(settings: TrainingSettings, machine: Machine, device: torch.device, job_mb: float) -> Cache:
    """What training may keep of images and activations; UserError if the network alone has no room on the device."""
    solver, half = settings.solver, settings.solver.half_cache
    if device.type != "cuda":
        return Cache(device, memory_budget(machine, device, job_mb), half)
    scheme, there = Scheme.parse(settings.scheme), gpu_memory(machine, device)
    candidates = max(1, len(solver.stepped(scheme)))
    needed = needed_on_gpu(settings.network, solver.batch, there, scheme.frozen, candidates)
    if needed > there:
        raise UserError(
            f"{scheme} takes some {needed / 2**30:.1f} GiB on a GPU for batches of {solver.batch} images and "
            f"{candidates} candidates, and this one has {there / 2**30:.1f}; lower solver.batch, the candidates of its "
            "search or machine.jobs_per_gpu, or take a larger GPU"
        )
    budget = memory_budget(machine, device, job_mb, needed)
    return Cache(device, budget, half, chunk=chunk_for(settings.network, machine, device))


def too_large(profile: Profile, settings: TrainingSettings, free_mb: float) -> str:
    """What tuning a source takes, if that is more than is free; nothing for schemes that freeze what they copy."""
    scheme, solver = Scheme.parse(settings.scheme), settings.solver
    if not scheme.tuned:
        return ""
    parameters = _COPIES * len(solver.stepped(scheme)) * profile.parameters
    needed = torch.float32.itemsize * (parameters + 2 * solver.batch * profile.activations) / 2**20
    if needed <= free_mb:
        return ""
    return (
        f"{scheme} of {profile.source} takes some {needed / 1024:.1f} GiB of memory for batches of {solver.batch} "
        f"images, and {free_mb / 1024:.1f} are free; lower advice.solver.batch or the candidates of its search, or "
        "take smaller crops"
    )
