"""Memory that a network takes on a GPU, worked out on torch's meta device, whose tensors have shapes but no numbers."""

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode  # public for all its name: notes/extending of torch's docs

from freeze_or_tune.networks.build import outline
from freeze_or_tune.study.backbones import Network

WORKSPACE = 2**30
"""Bytes allowed for what torch does not count: the CUDA context, and workspaces of cuDNN and cuBLAS."""
_FRAGMENTS = 1.1
"""Times what tensors need that torch's allocator takes."""
_COPIES = 4
"""Of what a candidate learns, beside itself and its gradients: the optimiser's two, the best so far, one on its way."""


def tuning_bytes(network: Network, classes: int, batch: int, frozen: int = 0, candidates: int = 1) -> int:
    """Bytes on a GPU that training the blocks behind `frozen` takes in float32, beside images and a cached prefix.

    Candidates have parameters of their own, but one at a time has activations. Rather too much than too little: on the
    meta device attention keeps its matrices, which a GPU need not.
    """
    layered = outline(network, classes)
    layered.freeze(frozen)
    layered.train()
    first = layered.first_layer(frozen + 1)
    with torch.no_grad():
        inputs = layered(_views(network, batch), stop=first)
    labels = torch.zeros(batch, dtype=torch.int64, device="meta")
    step = peak_bytes(lambda: F.cross_entropy(layered(inputs, start=first), labels).backward())
    whole, learnt = _bytes(layered.state_dict()), _bytes(layered.learnt())
    # The prefix has a network of its own.
    tensors = inputs.nbytes + step + candidates * (whole + _COPIES * learnt) + whole
    return WORKSPACE + int(_FRAGMENTS * tensors)


def chunk_of(network: Network, room: float, classes: int = 1000) -> int:
    """How many images a network takes at once in `room` bytes on a GPU, without gradients; one at least."""
    layered, view = outline(network, classes).eval(), _views(network, 1)
    with torch.no_grad():
        each = view.nbytes + peak_bytes(lambda: layered(view))
    return max(1, int(room / (_FRAGMENTS * each)))


def peak_bytes(compute: Callable[[], object]) -> int:
    """The most bytes at any time of the tensors that `compute` makes, on whatever device."""
    with _Living() as living:
        compute()
    return living.most


def _views(network: Network, count: int) -> Tensor:
    return torch.empty(count, 3, network.crop, network.crop, device="meta")


def _bytes(values: dict[str, Tensor]) -> int:
    return sum(value.nbytes for value in values.values())


class _Living(TorchDispatchMode):
    """Counts the memory of tensors from the operation that makes it until no tensor has it any more."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(self, operation: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        self._known.update(_memory_of((arguments, options)))
        outputs = operation(*arguments, **(options or {}))
        for memory in _memory_of(outputs):
            if memory not in self._known:
                self._known.add(memory)
                self.now += memory.nbytes()
                weakref.finalize(memory, self._free, memory.nbytes())
        self.most = max(self.most, self.now)
        return outputs

    def _free(self, size: int) -> None:
        self.now -= size


def _memory_of(values: object) -> list[torch.UntypedStorage]:
    return [tensor.untyped_storage() for tensor in _tensors_in(values)]


def _tensors_in(values: object) -> Iterator[Tensor]:
    """Those of arguments and results of an operation, which may be lists and dictionaries of them."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, list | tuple | dict):
        for value in values.values() if isinstance(values, dict) else values:
            yield from _tensors_in(value)
