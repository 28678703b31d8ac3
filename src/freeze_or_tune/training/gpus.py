"""Which GPU a job trains on, where no scheduler has given it one: one that no other job of ours uses."""

import atexit
import logging
import os
import tempfile
import time
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import torch

from freeze_or_tune.system.locks import Busy, locked

log = logging.getLogger(__name__)

_PAUSE = 0.5
"""Seconds between two looks for a free one."""
_held = ExitStack()
"""The lock on this process's GPU, to its end."""
atexit.register(_held.close)
_chosen: list[int] = []


def choose_gpu(share: int = 1) -> None:
    """Make a GPU that fewer than `share` jobs of this user have chosen the process's own; wait until there is one.

    Snakemake starts as many jobs as there are cores, and torch would put them all on the first GPU. The lock is freed
    when its process ends, however it ends.
    """
    waited = False
    while not _chosen:
        for place, index in product(range(share), range(torch.cuda.device_count())):
            lock = _lock_of(index, place)
            try:
                _held.enter_context(locked(lock, lock, wait=False))
            except Busy:
                continue
            _chosen.append(index)
            torch.cuda.set_device(index)
            log.info("trains on GPU %d (%s)", index, torch.cuda.get_device_name(index))
            return
        if not waited:
            log.warning("all %d GPUs are taken by other jobs: waiting for one", torch.cuda.device_count())
        waited = True
        time.sleep(_PAUSE)


def given_by_scheduler() -> bool:
    """Whether SLURM runs this process: it keeps jobs apart, and what it gives is this job's alone."""
    return "SLURM_JOB_ID" in os.environ


def _lock_of(index: int, place: int) -> Path:
    # By the card's own name: CUDA_VISIBLE_DEVICES numbers them anew.
    card = getattr(torch.cuda.get_device_properties(index), "uuid", index)
    return Path(tempfile.gettempdir(), f"freeze-or-tune-{os.getuid()}-gpu-{card}-{place}.lock")
