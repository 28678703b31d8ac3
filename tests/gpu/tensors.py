"""Tensors on the emulated GPU, and the device that computes them: its memory, its random numbers, what it was asked.

torch lets tensors of a class of one's own lie on any device. Where torch itself looks, these lie on the device `lazy`:
every build of it has that without a driver, and its branches in torch's code are those of a GPU (a fused dropout, no
oneDNN). Where Python looks, they lie on cuda:0.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.gpu import rules

CPU, CUDA, INSIDE = torch.device("cpu"), torch.device("cuda:0"), torch.device("lazy:0")


class OnGpu(Tensor):
    """A tensor on the GPU; `host` holds its numbers, in the same order in memory."""

    host: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl
    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)

    def __new__(cls, host: Tensor) -> "OnGpu":
        made = Tensor._make_wrapper_subclass(
            cls, host.shape, strides=host.stride(), storage_offset=host.storage_offset(), dtype=host.dtype,
            device=INSIDE,
        )  # fmt: skip
        made.host = host
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{func} of a tensor on an emulated GPU that is gone")

    # torch refuses both for all classes but its own; with these words for those on a GPU.
    def tolist(self) -> Any:
        return self.cpu().tolist()

    def numpy(self, **_: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")

    # A module that finds these two exchanges its parameters as a whole, not only what they point to.
    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["host"], None

    @staticmethod
    def __tensor_unflatten__(inner: dict[str, Tensor], *_: Any) -> "OnGpu":
        return OnGpu(inner["host"])

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.host.__reduce_ex__(protocol)  # whose storage is known to be the GPU's

    def __repr__(self, **_: Any) -> str:
        return f"{self.host!r} on {CUDA}"


@dataclass
class Counts:
    """How often the GPU was asked for what, by the name of the operation."""

    operations: Counter[str] = field(default_factory=Counter)
    """Kernels: what writes numbers, but for copies from and to the host."""
    uploads: Counter[str] = field(default_factory=Counter)
    """Copies from the host."""
    waits: Counter[str] = field(default_factory=Counter)
    """What the host waits for until all that was asked before is done: copies in both directions, but for uploads that
    are `non_blocking`, and shapes that depend on numbers."""

    def copy(self) -> "Counts":
        return self + Counts()

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.operations + other.operations, self.uploads + other.uploads, self.waits + other.waits)

    def __sub__(self, before: "Counts") -> "Counts":
        return Counts(self.operations - before.operations, self.uploads - before.uploads, self.waits - before.waits)


class Allocation:
    """Memory of the GPU, as long as the storage that it hangs on lives; torch.OutOfMemoryError if there is no room."""

    def __init__(self, gpu: "Gpu", size: int) -> None:
        self.gpu, self.size = gpu, 0
        if gpu.allocated + size > gpu.memory:
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size / 2**20:.2f} MiB.")
        self.size = size
        gpu.allocated += size
        gpu.peak = max(gpu.peak, gpu.allocated)

    def __del__(self) -> None:
        self.gpu.allocated -= self.size


class Gpu(TorchDispatchMode):
    """The device, with so many bytes of memory, while it is entered."""

    def __init__(self, memory: int) -> None:
        super().__init__()
        self.memory, self.allocated, self.peak = memory, 0, 0
        self.seed = self.offset = 0
        self.initialised = False
        self.counts = Counts()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if kwargs.get("pin_memory"):
            kwargs["pin_memory"] = False  # nobody could
        if func is torch.ops.aten._pin_memory.default:
            return args[0].clone()
        tensors: list[Tensor] = []
        plain_args, plain = each(lambda one: tensors.append(one) or _host(one), (args, kwargs))
        on_gpu, to = any(isinstance(one, OnGpu) for one in tensors), kwargs.get("device")
        stays = on_gpu if to is None else to == INSIDE
        if not on_gpu and not stays:
            return func(*args, **kwargs)
        rules.check(func, args, kwargs, tensors)
        if to is not None:
            plain["device"] = CPU
        with self._random() if torch.Tag.nondeterministic_seeded in func.tags else nullcontext():
            found = func(*plain_args, **plain)
        before = self.allocated
        if stays:
            # What an operation changes in place it returns: the same tensor.
            known = {id(_host(one)): one for one in tensors}
            found = each(lambda one: known[id(one)] if id(one) in known else self.place(one), found)
        self._count(func, args, kwargs, tensors, found, func._schema.is_mutable or self.allocated != before)
        return found

    def place(self, host: Tensor) -> OnGpu:
        """A tensor in the GPU's memory."""
        self.initialised = True
        storage: Any = host.untyped_storage()
        if not lies_there(storage):
            storage.allocation = Allocation(self, storage.nbytes())
        return OnGpu(host)

    @contextmanager
    def _random(self) -> Iterator[None]:
        """Draw the GPU's random numbers in place of the CPU's."""
        before = torch.default_generator.get_state()
        torch.default_generator.manual_seed(hash((self.seed, self.offset)))
        self.offset += 4
        yield
        torch.default_generator.set_state(before)

    def _count(self, func: Any, args: Any, kwargs: Any, tensors: list[Tensor], found: Any, writes: bool) -> None:
        name = func.overloadpacket.__name__
        copies, to_host = name in rules.COPIES, isinstance(found, Tensor) and found.is_cpu
        uploads = not to_host and any(one.is_cpu and (one.ndim or copies) for one in tensors)
        masks = name in rules.INDEXING and any(one is not None and one.dtype == torch.bool for one in args[1])
        number = not isinstance(found, Tensor | list | tuple | None)
        waits = number or masks or name in rules.WAITING or (copies and to_host)
        if uploads:
            self.counts.uploads[name] += 1
        if waits or (uploads and not (kwargs.get("non_blocking") or (copies and args[-1] is True))):
            self.counts.waits[name] += 1
        elif writes and not uploads and name not in rules.EMPTY:
            self.counts.operations[name] += 1


def lies_there(storage: Any) -> bool:
    """Whether a storage is the GPU's."""
    return hasattr(storage, "allocation")


def each(function: Callable[[Tensor], Any], values: Any) -> Any:
    """Of all tensors in lists, tuples and dicts."""
    if isinstance(values, Tensor):
        return function(values)
    if isinstance(values, list):
        return [each(function, value) for value in values]
    if isinstance(values, tuple):
        return tuple([each(function, value) for value in values])
    if isinstance(values, dict):
        return {name: each(function, value) for name, value in values.items()}
    return values


def _host(one: Tensor) -> Tensor:
    return one.host if isinstance(one, OnGpu) else one
