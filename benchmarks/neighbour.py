"""What two threads cost beside other work, by how they wait for each other: `python -m benchmarks.neighbour`.

Steps of T1-9_R10 with EfficientNet-Lite0, as the model of one's own images takes them, on a quiet machine and beside
one process that never rests. Each way in a process of its own, in turns. Prints a table for docs/performance.md.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from itertools import product
from statistics import median

import torch
import torch.nn.functional as F

from benchmarks.compare import table
from freeze_or_tune.networks.zoo import timm_network
from freeze_or_tune.study.backbones import TimmNetwork
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.training.device import prepare_device
from freeze_or_tune.training.solver import gradients_of, learnables, optimiser_of

LITE0 = TimmNetwork(architecture="timm", name="tf_efficientnet_lite0", image_size=128, crop=112)
BATCH, STEPS, TURNS = 20, 8, 3
WAYS: dict[str, tuple[int, dict[str, str]]] = {
    "one thread": (1, {}),
    "two threads, spinning (libgomp's own way)": (2, {"OMP_WAIT_POLICY": "", "GOMP_SPINCOUNT": ""}),
    "two threads, passive": (2, {"OMP_WAIT_POLICY": "passive"}),
    "two threads, spinning for a moment": (2, {"OMP_WAIT_POLICY": "", "GOMP_SPINCOUNT": "10000"}),
}


def measure(threads: int) -> float:
    """Seconds of some steps, after two that are not counted."""
    prepare_device(Machine(device="cpu"), threads)
    network = timm_network(LITE0, 12, 0).to(memory_format=torch.channels_last)
    parameters = learnables(network, Scheme.parse("T1-9_R10"), Solver(method="adamw", learning_rate=1e-6))
    optimiser = optimiser_of(parameters, Solver(method="adamw", learning_rate=1e-6), 10**6)
    inputs = torch.randn(BATCH, 3, LITE0.crop, LITE0.crop).to(memory_format=torch.channels_last)
    labels = torch.arange(BATCH) % 12

    def step() -> None:
        F.cross_entropy(network(inputs), labels).backward()
        optimiser.step(0, gradients_of(parameters))

    step(), step()
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    return time.perf_counter() - start


def _restless() -> None:
    while True:
        pass


def _seconds(threads: int, variables: dict[str, str], busy: bool) -> float:
    environment = {name: value for name, value in (os.environ | variables).items() if value}
    neighbour = multiprocessing.Process(target=_restless, daemon=True)
    if busy:
        neighbour.start()
    try:
        command = [sys.executable, "-m", "benchmarks.neighbour", "--measure", str(threads)]
        return float(subprocess.check_output(command, env=environment, text=True))
    finally:
        if busy:
            neighbour.kill()


def main() -> None:
    """Measure all ways in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", type=int, metavar="THREADS", help="print the seconds of this process alone")
    if threads := parser.parse_args().measure:
        print(measure(threads))
        return
    found: dict[tuple[str, bool], list[float]] = {key: [] for key in product(WAYS, (False, True))}
    for _ in range(TURNS):
        for (name, busy), seconds in found.items():
            seconds.append(_seconds(*WAYS[name], busy))
    rows = [(name, median(found[name, False]), median(found[name, True]), max(found[name, True])) for name in WAYS]
    table((f"{STEPS} steps", "quiet: s", "beside a neighbour: s", "slowest of them"), rows)


if __name__ == "__main__":
    main()
