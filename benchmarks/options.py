"""What precision, layout and compilation do to the speed of a training step: `python -m benchmarks.options`.

One thread and its processor time, so that other work on the machine does not show. Prints a table for
docs/performance.md.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F

from benchmarks.compare import table
from benchmarks.prepare import STUDY
from freeze_or_tune.networks.caffenet import caffenet, initialise
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Machine, Network
from freeze_or_tune.study.solver import Precision, Solver
from freeze_or_tune.training.device import computing_in, prepare_device
from freeze_or_tune.training.solver import gradients_of, learnables, optimiser_of

BATCH = 50
OPTIONS: dict[str, tuple[Precision, bool, bool]] = {
    "fp32": ("fp32", False, False),
    "fp32, channels_last": ("fp32", True, False),
    "bf16, channels_last": ("bf16", True, False),
    "fp32, channels_last, compile": ("fp32", True, True),
}


def stepper(sizes: Network, precision: Precision, channels_last: bool, compiled: bool) -> Callable[[], None]:
    """A training step of T1-7_R8 on one batch."""
    device = prepare_device(Machine(device="cpu"), 1, precision)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = caffenet(sizes, 50)
    initialise(network, sizes.filler, 0)
    network = network.to(memory_format=layout)
    if compiled:
        network.compile()
    solver = Solver(learning_rate=1e-6)
    parameters = learnables(network, Scheme.parse("T1-7_R8"), solver)
    optimiser = optimiser_of(parameters, solver, 10**6)
    inputs = torch.randn(BATCH, 3, sizes.crop, sizes.crop).to(memory_format=layout)
    labels = torch.arange(BATCH)

    def step() -> None:
        with computing_in(precision, device):
            loss = F.cross_entropy(network(inputs).float(), labels)
            loss.backward()
            optimiser.step(0, gradients_of(parameters))

    return step


def main() -> None:
    """Measure the options in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", action="store_true", help="compilation, too: takes many minutes")
    compiled = parser.parse_args().compile
    options = {name: chosen for name, chosen in OPTIONS.items() if compiled or not chosen[2]}
    rows: list[tuple[object, ...]] = []
    for name, sizes in read_study(STUDY).networks.items():
        steps = {option: stepper(sizes, *chosen) for option, chosen in options.items()}
        first = {option: _seconds(step) for option, step in steps.items()}
        turns = [{option: _seconds(step) for option, step in steps.items()} for _ in range(5)]
        rows += [
            (name, option, BATCH / median(turn[option] for turn in turns), first[option]) for option in options
        ]  # fmt: skip
    table(("network", "options", "images/s", "first step: s"), rows)


def _seconds(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
