"""What GPUs should take for the paper's study, by arithmetic: `python -m benchmarks.roofline`.

Nothing is measured: one training step of each scheme is run on the meta device, which computes shapes only, and each
operation is given the longest of three times: its multiplications at half of the peak of a card, its bytes at four
fifths of its bandwidth, or 3 microseconds. A step takes no less than 6 microseconds of Python an operation. Prints the
tables of docs/paper-run.md.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from torch.utils.flop_counter import flop_registry

from benchmarks.compare import table
from freeze_or_tune.networks.caffenet import caffenet
from freeze_or_tune.planning.estimates import counts_of
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import TrainingSettings
from freeze_or_tune.study.study import Study

PAPER = "config/paper.yaml"
REACHED, STREAMED = 0.5, 0.8
"""Of a card's peaks, in products and in memory."""
KERNEL, CALL = 3e-6, 6e-6
"""Seconds that an operation takes at least, on the card and in Python."""
VIEWS = {"aten.view", "aten.t", "aten.transpose", "aten.expand", "aten.detach", "aten._unsafe_view", "aten.slice",
         "aten.unsqueeze", "aten.squeeze", "aten.as_strided", "aten.permute", "aten.alias", "aten.split"}  # fmt: skip


class Card(NamedTuple):
    """What its maker states: multiply-adds in fp32 and in tf32 (operations a second), bytes a second."""

    fp32: float
    tf32: float
    memory: float


CARDS = {
    "H100": Card(67e12, 495e12, 3.35e12),
    "A100": Card(19.5e12, 156e12, 2.0e12),
    "V100": Card(15.7e12, 15.7e12, 0.9e12),  # Volta and Turing have no tf32
    "T4": Card(8.1e12, 8.1e12, 0.32e12),
}


class Operation(NamedTuple):
    """One call of the library: floating-point operations, and bytes that are read and written."""

    work: float
    size: float


class Count(TorchDispatchMode):
    """Write down each operation but those that only look at memory differently."""

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self.found: list[Operation] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and count it."""
        outputs = func(*args, **(kwargs or {}))
        if str(func.overloadpacket) not in VIEWS:
            tensors = [one for one in chain(tree_flatten(args)[0], tree_flatten(outputs)[0]) if isinstance(one, Tensor)]
            formula = flop_registry.get(func.overloadpacket)
            work = formula(*args, **(kwargs or {}), out_val=outputs) if formula else 0.0
            self.found.append(Operation(work, sum(one.numel() * one.element_size() for one in tensors)))
        return outputs


def step_of(settings: TrainingSettings) -> list[Operation]:
    """The operations of one training step behind the cached prefix."""
    scheme, sizes, batch = Scheme.parse(settings.scheme), settings.network, settings.solver.batch
    with torch.device("meta"):
        network = caffenet(sizes, 100)
        network.freeze(scheme.frozen)
        network.train()
        start = network.prefix(scheme.frozen, settings.solver.frozen_dropout)
        inputs = network.eval()(torch.empty(batch, 3, sizes.crop, sizes.crop), stop=start)
        network.train()
        labels = torch.empty(batch, dtype=torch.long)
        with Count() as count:
            F.cross_entropy(network(inputs, start=start), labels).backward()
    learnt = sum(one.numel() for one in network.parameters() if one.requires_grad)
    # Crops and their copy, and the fused optimiser: gradients, velocities and weights are read, two of them written.
    views = batch * 3 * sizes.crop**2 * 4
    return [*count.found, *[Operation(0, 2 * views)] * 6, Operation(0, 5 * 4 * learnt)]


def seconds(operations: Sequence[Operation], card: Card, tf32: bool) -> float:
    """Of one step."""
    rate = REACHED * (card.tf32 if tf32 else card.fp32)
    busy = sum(max(one.work / rate, one.size / (STREAMED * card.memory), KERNEL) for one in operations)
    return max(busy, CALL * len(operations))


def hours(study: Study, card: Card, tf32: bool) -> float:
    """Of all experiments: their steps, and a third of a whole network's step for as many images that only pass.

    Those are looked at, or make the cached prefix, which is taken to have room.
    """
    steps: dict[str, list[Operation]] = {}

    def step(settings: TrainingSettings, scheme: str) -> float:
        if scheme not in steps:
            steps[scheme] = step_of(settings.model_copy(update={"scheme": scheme}))
        return seconds(steps[scheme], card, tf32)

    total = 0.0
    for target, n, scheme in study.experiments():
        settings = study.experiment(target, n, scheme)
        counts, solver = counts_of(study, settings.split), settings.solver
        iterations, frozen = solver.iterations(counts.train), Scheme.parse(scheme).frozen
        cached = min(solver.views * counts.train, iterations * solver.batch) if frozen else 0
        passing = (solver.evaluations * counts.val + counts.test) + cached
        total += settings.runs * iterations * step(settings, scheme)
        total += passing / solver.batch / 3 * step(settings, "T1-7_R8")
    return total / 3600


def main() -> None:
    """Print steps a second and hours."""
    study = read_study(PAPER)
    schemes = ("T1-7_R8", "F1-7_R8", "T1-5_R6-8", "F1-5_R6-8")
    target, n = next((name, chosen.n[0]) for name, chosen in study.targets.items() if name != "yosinski")
    counted = {scheme: step_of(study.experiment(target, n, scheme)) for scheme in schemes}
    rows: list[tuple[object, ...]] = [("operations a step", "", *(len(one) for one in counted.values()), "")]
    for name, card in CARDS.items():
        for precision in ("fp32", "tf32") if card.tf32 > card.fp32 else ("fp32",):
            tf32 = precision == "tf32"
            rates = (1 / seconds(one, card, tf32) for one in counted.values())
            rows.append((name, precision, *(f"{rate:.0f}" for rate in rates), f"{hours(study, card, tf32):.1f}"))
    table(("card", "precision", *(f"{scheme}: steps/s" for scheme in schemes), "178 experiments: hours"), rows)


if __name__ == "__main__":
    main()
