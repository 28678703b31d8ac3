"""What a training step starts from: the frozen, deterministic start of a network, computed once where it can be.

The first `cut` layers of the network are frozen and hold no live dropout, so their output depends on the view of an
image alone. It is cached for `views` random views an image, epoch e using view e mod views: with as many views as
epochs that equals computing it anew each time, with fewer it is a trade (see docs/deviations.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from freeze_or_tune.hashing import stable_seed
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.training.augment import Preprocessing

_CHUNK = 250
"""Images at once where no gradients are kept: bounds the memory of activations."""


@dataclass(frozen=True)
class Images:
    """Labelled images on the device: pixels uint8 [N, S, S, 3] in BGR, labels int64 [N]."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """N."""
        return len(self.labels)


def in_chunks(compute: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
    """`compute` on a few images at a time, without gradients."""
    with torch.no_grad():
        return torch.cat([compute(chunk) for chunk in pixels.split(_CHUNK)])


class Prefix:
    """Outputs of the first `cut` layers for training views and for centre crops, cached on the device."""

    def __init__(
        self, network: Layered, cut: int, preprocessing: Preprocessing, images: Images, views: int, seed: int
    ) -> None:
        """Cache for `images`, with crops drawn from `seed`; the first `cut` layers of `network` must not change."""
        self.network, self.cut, self.preprocessing, self.images = network, cut, preprocessing, images
        self.views, self.seed = (views if cut else 0), seed
        self._cache: dict[int, Tensor] = {}

    def batch(self, indices: Tensor, epochs: Tensor, generator: torch.Generator) -> Tensor:
        """Input of layer `cut` for images [B], each in its own epoch [B] (both int64 on the CPU)."""
        if not self.views:
            crops = self.preprocessing.random_views(
                self.images.pixels[indices.to(self.images.pixels.device)], generator
            )
            with torch.no_grad():
                return self.network(crops, stop=self.cut)
        views = epochs % self.views
        outputs = self._view(int(views[0]))
        batch = outputs.new_empty(len(indices), *outputs.shape[1:])
        for view in views.unique().tolist():
            chosen = views == view
            batch[chosen] = self._view(view)[indices[chosen]]
        return batch

    def held_out(self, images: Images) -> "HeldOut":
        """The same layers' outputs for the centre crops of other images."""
        return HeldOut(self, images)

    def centre(self, pixels: Tensor) -> Tensor:
        """Output of the first `cut` layers for centre crops."""
        return self.network(self.preprocessing.centre_views(pixels), stop=self.cut)

    def _view(self, view: int) -> Tensor:
        if view not in self._cache:
            generator = torch.Generator().manual_seed(stable_seed(self.seed, "view", view))
            self._cache[view] = in_chunks(
                lambda chunk: self.network(self.preprocessing.random_views(chunk, generator), stop=self.cut),
                self.images.pixels,
            )
        return self._cache[view]


class HeldOut:
    """Images that are only looked at: the prefix of their centre crops is computed once, if there is one."""

    def __init__(self, prefix: Prefix, images: Images) -> None:
        """Run the prefix over `images`."""
        self.prefix, self.labels = prefix, images.labels
        # Without a prefix the crops themselves would take 12 times the memory of the pixels.
        self.cached = prefix.cut > 0
        self.inputs = in_chunks(prefix.centre, images.pixels) if self.cached else images.pixels

    def predictions(self, network: Layered) -> Tensor:
        """Logits [N, classes] of `network`, which is left in evaluation mode."""
        network.eval()

        def logits(chunk: Tensor) -> Tensor:
            return network(chunk if self.cached else self.prefix.centre(chunk), start=self.prefix.cut)

        return in_chunks(logits, self.inputs)
