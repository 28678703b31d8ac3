"""What a training step starts from: the frozen, deterministic start of a network, computed once where it can be.

The first `cut` layers of the network are frozen and hold no live dropout, so their output depends on the view of an
image alone. It is cached for `views` random views an image, epoch e using view e mod views: with as many views as
epochs that equals computing it anew each time, with fewer it is a trade (see docs/deviations.md). Views that the cache
has no room for keep their crops.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor, nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.system.hashing import stable_seed
from freeze_or_tune.training.augment import Crops, Preprocessing
from freeze_or_tune.training.cache import CHUNK, Cache, Table
from freeze_or_tune.training.images import Images

SCALED = 2**28
"""Bytes of images kept in float32: more of them are large ones, whose network takes far longer than their mean."""


class Prefix:
    """Outputs of the first `cut` layers for training views and for centre crops."""

    def __init__(
        self, network: Layered, cut: int, preprocessing: Preprocessing, images: Images, views: int, seed: int,
        cache: Cache | None = None,
    ) -> None:  # fmt: skip
        """Cache for `images`, with crops drawn from `seed`; the first `cut` layers of `network` must not change."""
        self.start = nn.Sequential(*list(network.children())[:cut])
        self.cut, self.preprocessing, self.images = cut, preprocessing, images
        self.views, self.seed = (views if cut else 0), seed
        self.cache = cache or Cache(images.labels.device)
        self._tables: dict[int, Table | Crops] = {}

    def batch(self, indices: Tensor, epochs: Tensor, generator: torch.Generator) -> Tensor:
        """Input of layer `cut` for images [B], each in its own epoch [B] (both int64 on the CPU)."""
        if not self.views:
            with torch.no_grad():
                return self.start(self._new_views(indices, generator))
        inputs = [self._of_view(view, part) for view, part in self._parts(indices, epochs)]
        return inputs[0] if len(inputs) == 1 else torch.cat(inputs)

    def ahead(self, order: Iterable[tuple[Tensor, Tensor]]) -> AbstractContextManager[None]:
        """While batches of this order, (indices, epochs) each, will be asked for: their images are read before."""
        # The first image that is asked for tells that a view had no room: later ones will have none, either.
        return self.images.ahead(
            part
            for indices, epochs in order
            for view, part in self._parts(indices, epochs)
            if not isinstance(self._tables.get(view), Table)
        )

    def held_out(self, images: Images) -> "HeldOut":
        """The same layers' outputs for the centre crops of other images."""
        return HeldOut(self, images)

    def centre(self, pixels: Tensor) -> Tensor:
        """Output of the first `cut` layers for centre crops."""
        return self.start(self.preprocessing.centre_views(pixels))

    def _parts(self, indices: Tensor, epochs: Tensor) -> Iterator[tuple[int, Tensor]]:
        """The images of a batch by the view that they have, 0 where each has its own."""
        if not self.views:
            return iter([(0, indices)])
        # Batches run through the epochs in order, so the images of one view stand together.
        views, counts = (epochs % self.views).unique_consecutive(return_counts=True)
        return zip(views.tolist(), indices.split(counts.tolist()), strict=True)

    def _new_views(self, indices: Tensor, generator: torch.Generator) -> Tensor:
        if self._scaled is None:
            return self.preprocessing.random_views(self.images.take(indices), generator)
        crops = self.preprocessing.draw(len(indices), self._scaled.shape[1], generator)
        return self.preprocessing.cut(self._scaled, indices, crops)

    @cached_property
    def _scaled(self) -> Tensor | None:
        """All images minus the mean, if they are small and there is room, so that a step only cuts them."""
        shape = (len(self.images), *self.images.pixels.shape[1:])
        size = math.prod(shape) * torch.float32.itemsize
        if size > SCALED or not self.cache.reserve(size):
            return None
        scaled = torch.empty(shape, device=self.images.labels.device)
        parts = torch.arange(len(self.images)).split(CHUNK)
        with self.images.ahead(parts):
            for part in parts:
                scaled[part[0] : part[-1] + 1] = self.preprocessing.scaled(self.images.take(part))
        return scaled

    def _of_view(self, view: int, indices: Tensor) -> Tensor:
        """Outputs for one view of some images: cached or, if there is no room, computed anew for the same crops."""
        if view not in self._tables:
            self._tables[view] = self._filled(view) or self._crops(view)
        kept = self._tables[view]
        if isinstance(kept, Table):
            return kept.take(indices)
        with torch.no_grad():
            return self.cache.rounded(self._computed(indices, kept)).float()

    def _filled(self, view: int) -> Table | None:
        crops = self._crops(view)
        return self.cache.fill(lambda indices: self._computed(indices, crops), self.images)

    def _computed(self, indices: Tensor, crops: Crops) -> Tensor:
        return self.start(self.preprocessing.views(self.images.take(indices), crops.of(indices)))

    def _crops(self, view: int) -> Crops:
        """The crops of a view, drawn for a fixed number of images at a time."""
        generator, size = self._generator(view), self.images.pixels.shape[1]
        counts = map(len, torch.arange(len(self.images)).split(CHUNK))
        offsets, flips = zip(*(self.preprocessing.draw(count, size, generator) for count in counts), strict=True)
        return Crops(torch.cat(offsets, 1), torch.cat(flips))

    def _generator(self, view: int) -> torch.Generator:
        return torch.Generator().manual_seed(stable_seed(self.seed, "view", view))


class Classifier(Protocol):
    """A network, or several in one, as those who look at it need it."""

    def eval(self) -> object:
        """Look only."""

    def __call__(self, x: Tensor, start: int) -> Tensor:
        """Logits for inputs of layer `start`."""


class HeldOut:
    """Images that are only looked at: the prefix of their centre crops is computed once, if there is one."""

    def __init__(self, prefix: Prefix, images: Images) -> None:
        """Look at `images` through the same prefix."""
        self.prefix, self.images, self.labels = prefix, images, images.labels

    @cached_property
    def _table(self) -> Table | None:
        return self.prefix.cache.fill(lambda indices: self.prefix.centre(self.images.take(indices)), self.images)

    def outputs(self, network: Layered, stop: int) -> Tensor:
        """Outputs [N, ...] of the layers before `stop` of `network`, which is left in evaluation mode."""
        return self._all(network, lambda x: network(x, start=self.prefix.cut, stop=stop))

    def predictions(self, network: "Classifier") -> Tensor:
        """Logits [N, classes] (of several candidates [K, N, classes]) of `network`, left in evaluation mode."""
        return self._all(network, lambda x: network(x, start=self.prefix.cut))

    def _all(self, network: "Classifier", compute: Callable[[Tensor], Tensor]) -> Tensor:
        """What `compute` makes of all outputs of the prefix, with the network in evaluation mode."""
        network.eval()

        def inputs(indices: Tensor) -> Tensor:
            # Without a prefix the crops themselves would take 12 times the memory of the pixels.
            if self.prefix.cut and self._table:
                return self._table.take(indices)
            outputs = self.prefix.centre(self.images.take(indices))
            return self.prefix.cache.rounded(outputs).float() if self.prefix.cut else outputs

        return torch.cat(
            list(self.prefix.cache.in_chunks(lambda part: compute(inputs(part)), self.images)), dim=-2
        ).float()
