"""Where and how training computes."""

import importlib.metadata
import math
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from freeze_or_tune.study.settings import Machine
from freeze_or_tune.study.solver import Precision
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.machine import peak_resident_mb
from freeze_or_tune.training.gpus import choose_gpu, given_by_scheduler

_ARCHITECTURE = re.compile(r"(?P<kind>sm|compute)_(?P<major>\d+)(?P<minor>\d)(?P<bound>[af]?)")
OTHER_TORCH = "make .venv/installed GPU=1"
_OLDEST = (5, 0)
"""Maxwell: torch's builds with CUDA 12.6, up to 2.14, have code for it (PyTorch's RELEASE.md)."""


def prepare_device(machine: Machine, threads: int, precision: Precision = "fp32") -> torch.device:
    """Choose the device, limit CPU threads, make algorithms deterministic.

    UserError if a GPU is asked for in vain: by `cuda`, or by a scheduler that has reserved one for this job.
    """
    torch.set_num_threads(threads)
    # Huge pages, for what each step allocates anew: CaffeNet's then take a quarter less time. Read at the first tensor.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    # Gradients of a dying network are denormal numbers, on which CPUs are twenty times slower.
    torch.set_flush_denormal(True)
    if machine.device == "cpu" or not (torch.cuda.is_available() or machine.device == "cuda" or _reserved()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError(_no_gpu(machine.device))
    if not given_by_scheduler():
        choose_gpu(machine.jobs_per_gpu)
    if (built := built_for()) and (problem := unusable(torch.cuda.get_device_capability(), built)):
        raise UserError(f"the GPU {torch.cuda.get_device_name()} cannot be used: {problem}")
    # Not on a CPU, whose algorithms for our layers are deterministic anyway.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if machine.compile:
        torch.use_deterministic_algorithms(True)  # imports the compiler, to tell it: more than a second
    else:
        torch.set_deterministic_debug_mode("error")
    # Nothing here reads what it has not written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # torch's own default is TF32 for convolutions alone.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    return torch.device("cuda")


def built_for() -> list[str]:
    """The architectures of GPUs that this torch has code for, such as sm_80; none without NVIDIA's CUDA."""
    return torch.cuda.get_arch_list() if torch.version.cuda else []


def unusable(capability: tuple[int, int], architectures: Sequence[str]) -> str | None:
    """Why a GPU of a compute capability cannot run code for these architectures, and what to do; None if it can.

    Machine code (sm_80) runs on the same major and no lower minor capability, intermediate code (compute_80) on any
    later one; an `a` or `f` at the end binds code to its own capability or family (CUDA C++ Programming Guide,
    "Application Compatibility"). Nothing is said where no architecture is NVIDIA's.
    """
    known = [found for name in architectures if (found := _ARCHITECTURE.fullmatch(name))]
    built = {(int(found["major"]), int(found["minor"])) for found in known}
    if not known or any(_runs(capability, found) for found in known):
        return None
    problem = (
        f"torch {torch.__version__} has no code for its compute capability {_dotted(capability)}, only for "
        f"{', '.join(map(_dotted, sorted(built)))}"
    )
    if capability > min(built):
        return f"{problem}; install a newer torch, or one that is built with a newer CUDA"
    if capability < _OLDEST:
        return f"{problem}, and no torch that this project works with has any: set the study's machine.device to cpu"
    return (
        f"{problem}; install torch 2.10 (code for 7.0 and newer; constraints-volta.txt) or one that is built with CUDA "
        "12.6 (5.0 and newer, up to torch 2.14): docs/cluster.md, Cards and drivers"
    )


def _runs(capability: tuple[int, int], code: re.Match[str]) -> bool:
    own = int(code["major"]), int(code["minor"])
    if code["bound"] == "a":
        return own == capability
    if code["kind"] == "compute" and not code["bound"]:
        return own <= capability
    return own[0] == capability[0] and own <= capability


def _dotted(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))


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
    if torch.version.cuda or torch.version.hip:
        remedy = f"look at nvidia-smi on {os.uname().nodename} and whether torch was built for its driver"
    else:
        remedy = f"torch {torch.__version__} is built for CPUs only; another one, where .venv is: {OTHER_TORCH}"
    return f"{problem}: {remedy}; to train on CPUs nevertheless set the study's machine.device to cpu"


def channels_last(machine: Machine, device: torch.device, precision: Precision) -> bool:
    """The layout of activations: as configured, or the faster one (cuDNN is slow at grouped ones channels last)."""
    if machine.channels_last is not None:
        return machine.channels_last
    return device.type == "cpu" or precision != "fp32"


def computing_in(precision: Precision, device: torch.device) -> torch.autocast:
    """A context in which matrices are multiplied in bfloat16, if that is the precision; parameters stay float32."""
    # Weights change between steps, so a cache of rounded ones would be stale.
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16", cache_enabled=False)


def device_name(device: torch.device) -> str:
    """The GPU's name, or `cpu`."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def versions(device: torch.device) -> dict[str, str]:
    """Versions of what computes."""
    found = {
        "freeze-or-tune": importlib.metadata.version("freeze-or-tune"), "python": platform.python_version(),
        "torch": torch.__version__, "numpy": np.__version__,
    }  # fmt: skip
    if device.type == "cuda":
        found |= {"cuda": str(torch.version.cuda), "cudnn": str(torch.backends.cudnn.version())}
    return found


def free_memory_mb(device: torch.device) -> float:
    """Memory that could be had: of the GPU, or of the machine as Linux says; infinite where nobody says."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / 2**20
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return math.inf


def gpu_memory(machine: Machine, device: torch.device) -> float:
    """Bytes of a GPU that one of its jobs may count on."""
    return torch.cuda.mem_get_info(device)[1] / machine.jobs_per_gpu


def peak_memory_mb(device: torch.device) -> float:
    """Peak memory so far: allocated on the GPU, or resident in the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return peak_resident_mb()
