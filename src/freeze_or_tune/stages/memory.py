"""Whether a network can be tuned in the memory that there is: said before training, not by the system that ends it."""

import torch
from torch import Tensor, nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.records.probes import Profile
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import TrainingSettings

_COPIES = 6
"""Of the parameters of each candidate: network, gradients, the optimiser's two, the best so far, and one on its way."""


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
