"""Where and how training computes."""

import importlib.metadata
import os
import platform
import resource
from typing import Literal

import numpy as np
import torch

from freeze_or_tune.errors import UserError
from freeze_or_tune.settings import Precision


def prepare_device(name: Literal["auto", "cpu", "cuda"], threads: int, precision: Precision = "fp32") -> torch.device:
    """Choose the device, limit CPU threads, make algorithms deterministic; UserError if a GPU is asked for in vain."""
    torch.set_num_threads(threads)
    # Gradients of a dying network are denormal numbers, on which CPUs are twenty times slower.
    torch.set_flush_denormal(True)
    if name == "cpu" or not (torch.cuda.is_available() or name == "cuda"):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError("the study's `device` is cuda, but no GPU is visible to this job; set it to auto or cpu")
    # Not on a CPU, whose algorithms for our layers are deterministic anyway: the call imports torch's compiler (1.6 s).
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # torch's own default is TF32 for convolutions alone.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    return torch.device("cuda")


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


def peak_memory_mb(device: torch.device) -> float:
    """Peak memory so far: allocated on the GPU, or resident in the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
