"""A network as numbered blocks, the unit that schemes copy, freeze, tune or draw at random."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Self

from torch import Tensor, nn

from freeze_or_tune.system.errors import UserError


class Layered(nn.Sequential):
    """A chain of named layers, grouped into blocks 1..L.

    A block is one layer with weights together with its ReLU, pooling, normalisation and dropout, or one stage of a
    deeper network (docs/networks.md). Parameters are named by layer (`conv1.weight`), as in Caffe.
    """

    def __init__(
        self, blocks: Sequence[Mapping[str, nn.Module]], bias_rate: float = 2.0, channels_last: bool = False
    ) -> None:
        """Chain the layers of `blocks`, in order; biases learn at `bias_rate` times the rate of weights (Caffe: 2).

        `channels_last`: outputs of its blocks are [B, ..., D], tokens for instance, and not [B, D, ...].
        """
        super().__init__()
        self.bias_rate = bias_rate
        self.channels_last = channels_last
        self.frozen = self.settled = 0
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
        for layer in islice(self, start, stop):
            x = layer(x)
        return x

    def features(self, x: Tensor) -> Tensor:
        """The classifier's inputs [B, D]: the output of block L-1, after its ReLU."""
        return self(x, stop=self.first_layer(self.blocks))

    def pooled(self, x: Tensor) -> list[Tensor]:
        """Outputs of blocks 1..L-1, the mean over an image's places or tokens: [B, D] each; the last are `features`."""
        found, start = [], 0
        for block in range(2, self.blocks + 1):
            stop = self.first_layer(block)
            x = self(x, start, stop)
            places = range(1, x.ndim - 1) if self.channels_last else range(2, x.ndim)
            found.append(x.mean(tuple(places)) if places else x)
            start = stop
        return found

    def first_layer(self, block: int) -> int:
        """Position in the chain of a block's first layer."""
        return [*self.block_of.values()].index(block)

    def prefix(self, frozen: int, live_dropout: bool = True) -> int:
        """How many layers from the start are deterministic and frozen if blocks 1..`frozen` are.

        Caffe's learning rate of 0 keeps dropout active in frozen blocks; so what can be computed once ends there.
        """
        for position, (name, layer) in enumerate(self.named_children()):
            stochastic = live_dropout and any(map(_is_stochastic, layer.modules()))
            if self.block_of[name] > frozen or stochastic:
                return position
        return len(self)

    def freeze(self, blocks: int, settled: int = 0) -> None:
        """Keep blocks 1..`blocks` as they are from now on: parameters, and statistics of batch norms.

        The statistics of blocks up to `settled`, too, whose parameters learn; UserError if they have no batch norms.
        """
        if settled > blocks and not any(
            isinstance(module, nn.modules.batchnorm._BatchNorm)
            for name, layer in self.named_children()
            for module in (layer.modules() if blocks < self.block_of[name] <= settled else ())
        ):
            raise UserError(f"blocks {blocks + 1} to {settled} have no batch norms: leave out the scheme's variant n")
        self.frozen, self.settled = blocks, max(blocks, settled)
        for _, parameter in self.parameters_of(range(1, blocks + 1)):
            parameter.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As torch's, but batch norm in settled blocks goes on with the statistics it has; dropout there is live."""
        super().train(mode)
        for name, layer in self.named_children():
            for module in layer.modules() if self.block_of[name] <= self.settled else ():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def state_of(self, blocks: range) -> dict[str, Tensor]:
        """Parameters and buffers (statistics of batch norms) of the given blocks by name; the network's own tensors."""
        return {name: value for name, value in self.state_dict().items() if self.block_of[_layer(name)] in blocks}

    def learnt(self) -> dict[str, Tensor]:
        """What training changes: `state_of` all blocks that are not frozen."""
        return self.state_of(range(self.frozen + 1, self.blocks + 1))

    def vectors(self) -> set[str]:
        """Names of the parameters that are biases, or belong to a norm."""
        norms = {name for name, module in self.named_modules() if isinstance(module, NORMS)}
        return {
            name for name, _ in self.named_parameters() if name.endswith(".bias") or name.rpartition(".")[0] in norms
        }

    def parameters_of(self, blocks: range) -> Iterator[tuple[str, nn.Parameter]]:
        """(name, parameter) of the given blocks, e.g. `range(1, 8)` for blocks 1-7."""
        for name, parameter in self.named_parameters():
            if self.block_of[_layer(name)] in blocks:
                yield name, parameter


NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


def _layer(name: str) -> str:
    """The layer of a parameter."""
    return name.split(".", 1)[0]


def _is_stochastic(module: nn.Module) -> bool:
    """Whether it draws numbers while training: dropout, or stochastic depth (timm's DropPath)."""
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    return bool(getattr(module, "drop_prob", 0))
