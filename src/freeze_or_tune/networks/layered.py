"""A network as numbered blocks, the unit that schemes copy, freeze, tune or draw at random."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from torch import Tensor, nn


class Layered(nn.Sequential):
    """A chain of named layers, grouped into blocks 1..L.

    A block is one layer with weights together with its ReLU, pooling, normalisation and dropout. Parameters are
    named by layer (`conv1.weight`), as in Caffe.
    """

    def __init__(self, blocks: Sequence[Mapping[str, nn.Module]]) -> None:
        """Chain the layers of `blocks`, in order."""
        super().__init__()
        self.block_of: dict[str, int] = {}
        for number, layers in enumerate(blocks, start=1):
            for name, layer in layers.items():
                self.add_module(name, layer)
                self.block_of[name] = number

    @property
    def blocks(self) -> int:
        """L, the number of blocks."""
        return max(self.block_of.values())

    def forward(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Run layers start..stop-1 (positions in the chain) on a batch."""
        for layer in islice(self.children(), start, stop):
            x = layer(x)
        return x

    def features(self, x: Tensor) -> Tensor:
        """The classifier's inputs [B, D]: the output of block L-1, after its ReLU."""
        return self(x, stop=self.first_layer(self.blocks))

    def first_layer(self, block: int) -> int:
        """Position in the chain of a block's first layer."""
        return [*self.block_of.values()].index(block)

    def prefix(self, frozen: int, live_dropout: bool = True) -> int:
        """How many layers from the start are deterministic and frozen if blocks 1..`frozen` are.

        Caffe's learning rate of 0 keeps dropout active in frozen blocks; so what can be computed once ends there.
        """
        for position, (name, layer) in enumerate(self.named_children()):
            stochastic = live_dropout and isinstance(layer, nn.Dropout) and layer.p > 0
            if self.block_of[name] > frozen or stochastic:
                return position
        return len(self)

    def parameters_of(self, blocks: range) -> Iterator[tuple[str, nn.Parameter]]:
        """(name, parameter) of the given blocks, e.g. `range(1, 8)` for blocks 1-7."""
        for name, parameter in self.named_parameters():
            if self.block_of[name.split(".", 1)[0]] in blocks:
                yield name, parameter
