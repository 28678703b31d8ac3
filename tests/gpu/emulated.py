"""A GPU that is none, for machines without one: its tensors are computed on the CPU, by the rules of CUDA.

What it proves: the code that a GPU takes runs, from torch.cuda's answers to the last test image, and keeps CUDA's rules
(`rules.py`): tensors of two devices are refused where CUDA refuses them, operations without a deterministic algorithm
as well; memory ends; dropout draws the device's own random numbers; states are saved and loaded as those of a GPU, by
torch's own code. Each operation, copy and wait is counted (`tensors.py`), so that a bound on them can be asserted.

What it cannot: kernels are the CPU's, so rounding, TF32, speed, what cuDNN and cuBLAS choose, and races between streams
are not tested; memory is that of tensors, without workspaces and fragments; pinned memory is as any other; autocast
casts what is multiplied and nothing else; there is one GPU, no generator on it but its own, and no torch.compile.
"""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors

from tests.gpu.tensors import CUDA, INSIDE, Allocation, Gpu, each, lies_there

GIB = 2**30
NAME = "emulated GPU"
_PRODUCTS = {
    F.linear, F.conv2d, F.scaled_dot_product_attention, torch.baddbmm, torch.bmm, torch.matmul, Tensor.matmul,
    Tensor.__matmul__,
}  # fmt: skip
"""What autocast computes in another precision."""


class Calls(TorchFunctionMode):
    """Python's calls of torch's functions, with the device's name inside torch."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.device or (len(args) == 1 and not kwargs and func is not Tensor.cuda):
            return func(*args, **(kwargs or {}))  # most calls: they name no device
        args = [_inside(value) for value in args]
        kwargs = {name: _inside(value) for name, value in (kwargs or {}).items()}
        if func in _PRODUCTS and torch.is_autocast_enabled("cuda"):
            args = each(_cast, args)
        if func is Tensor.cuda:
            return args[0].to(INSIDE)
        # In these two torch makes tensors of lists, and asks nobody.
        if func is torch.tensor and kwargs.get("device") == INSIDE:
            return func(*args, **(kwargs | {"device": None})).to(INSIDE)
        if func is Tensor.__getitem__ and isinstance(args[1], list):
            args[1] = torch.tensor(args[1])
        return func(*args, **kwargs)


def _unpinned(empty: Callable[..., Tensor], *args: Any, pin_memory: bool = False, **kwargs: Any) -> Tensor:
    """Also in threads, where no mode is."""
    return empty(*args, **kwargs)


def _inside(value: Any) -> Any:
    named = isinstance(value, str) and value.startswith("cuda")
    return INSIDE if named or (isinstance(value, torch.device) and value.type == "cuda") else value


def _cast(value: Tensor) -> Tensor:
    return value.to(torch.get_autocast_dtype("cuda")) if value.is_cuda and value.dtype == torch.float32 else value


def functions(gpu: Gpu) -> dict[str, Any]:
    """What torch.cuda says of the device, and does to it."""

    def set_rng_state(state: Tensor, *_: Any) -> None:
        if not state.is_cpu or state.dtype != torch.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        gpu.seed, gpu.offset = struct.unpack("<Qq", bytes(state.tolist()))

    def get_rng_state(*_: Any) -> Tensor:
        gpu.initialised = True
        return torch.frombuffer(bytearray(struct.pack("<Qq", gpu.seed, gpu.offset)), dtype=torch.uint8)

    def manual_seed(seed: int) -> None:
        gpu.seed, gpu.offset = seed % 2**64, 0

    return {
        "is_available": lambda: True,
        "is_initialized": lambda: gpu.initialised,
        "is_bf16_supported": lambda *_: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_name": lambda *_: NAME,
        "get_device_capability": lambda *_: (9, 0),
        "get_arch_list": lambda: ["sm_90"],
        "mem_get_info": lambda *_: (gpu.memory - gpu.allocated, gpu.memory),
        "memory_allocated": lambda *_: gpu.allocated,
        "max_memory_allocated": lambda *_: gpu.peak,
        "empty_cache": lambda: None,
        "synchronize": lambda *_: None,
        "get_rng_state": get_rng_state,
        "set_rng_state": set_rng_state,
        "manual_seed": manual_seed,
        "manual_seed_all": manual_seed,
    }


_active: list[Gpu] = []


def _location(storage: Any) -> str | None:
    """What a file says of where a storage lay."""
    return str(CUDA) if lies_there(storage) else None


def _restored(storage: Any, location: str) -> Any:
    """A storage that was read and is to lie on the GPU; None, so that torch says that there is none."""
    if not _active or not location.startswith("cuda"):
        return None
    storage.allocation = Allocation(_active[-1], storage.nbytes())
    return storage


torch.serialization.register_package(5, _location, _restored)  # asked before those of the CPU, 10, and of CUDA, 20


@contextmanager
def emulated_gpu(memory: float = 16 * GIB) -> Iterator[Gpu]:
    """A GPU of so many bytes in this process; afterwards all is as it was before."""
    gpu, load = Gpu(int(memory)), torch.load
    flags = [(torch.backends.cuda.matmul, "allow_tf32"), (torch.backends.cudnn, "allow_tf32")]
    before = [getattr(*flag) for flag in flags]

    def placed(one: Tensor) -> Tensor:
        return gpu.place(one) if lies_there(one.untyped_storage()) else one

    _device_constructors()  # remembered from now on, with torch's own `empty`
    _active.append(gpu)
    try:
        with (
            mock.patch.multiple(torch.cuda, **functions(gpu)),
            mock.patch.object(torch, "empty", partial(_unpinned, torch.empty)),
            mock.patch.object(torch, "load", lambda *args, **kwargs: each(placed, load(*args, **kwargs))),
            # As in a job of SLURM: jobs of this machine would take the only GPU in turns.
            mock.patch.dict(os.environ, SLURM_JOB_ID="1"), gpu, Calls(),
        ):  # fmt: skip
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
            yield gpu
    finally:
        _active.remove(gpu)
        for (module, name), value in zip(flags, before, strict=True):
            setattr(module, name, value)
