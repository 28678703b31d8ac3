"""Where and how training computes."""

import os
import resource
from typing import Literal

import torch

from freeze_or_tune.errors import UserError


def prepare_device(name: Literal["auto", "cpu", "cuda"], threads: int) -> torch.device:
    """Choose the device, limit CPU threads, make algorithms deterministic.

    UserError if a GPU is asked for in vain: by `cuda`, or by a scheduler that has reserved one for this job.
    """
    torch.set_num_threads(threads)
    # Gradients of a dying network are denormal numbers, on which CPUs are twenty times slower.
    torch.set_flush_denormal(True)
    if name == "cpu" or not (torch.cuda.is_available() or name == "cuda" or _reserved()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError(_no_gpu(name))
    # Not on a CPU, whose algorithms for our layers are deterministic anyway: the call imports torch's compiler (1.6 s).
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    return torch.device("cuda")


def _reserved() -> str | None:
    """The GPUs that a scheduler has given to this job, or None; SLURM says NoDevFiles where it has given none."""
    devices = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return None if devices in {"", "-1", "NoDevFiles"} else devices


def _no_gpu(name: str) -> str:
    """What is wrong where a GPU is meant and none is found."""
    if name == "cuda":
        problem = "the study's machine.device is cuda, but no GPU is visible to this job"
    else:
        problem = f"this job was given a GPU (CUDA_VISIBLE_DEVICES={_reserved()}), but torch finds none"
    return (
        f"{problem}: look at nvidia-smi on {os.uname().nodename} and whether torch was built for its driver; "
        "to train on CPUs nevertheless set the study's machine.device to cpu"
    )


def device_name(device: torch.device) -> str:
    """The GPU's name, or `cpu`."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def peak_memory_mb(device: torch.device) -> float:
    """Peak memory so far: allocated on the GPU, or resident in the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
