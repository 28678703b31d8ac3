"""Views of images as Caffe's data layer makes them (src/caffe/data_transformer.cpp): crop, minus mean, scale, mirror.

Images are uint8 [B, S, S, 3]; views are float32 [B, 3, C, C]. The mean image is subtracted at
the crop's offset, before mirroring.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from freeze_or_tune.training.images import moved


class Crops(NamedTuple):
    """How each of N images is cut: offsets int64 [2, N, 1] (row, column), and flips bool [N, 1, 1, 1]; on the CPU."""

    offsets: Tensor
    flips: Tensor

    def of(self, indices: Tensor) -> "Crops":
        """Those of some of the images."""
        return Crops(self.offsets[:, indices], self.flips[indices])


@dataclass(frozen=True)
class Preprocessing:
    """What stands between pixels and a network: mean image [S, S, 3], crop C, factor, mirrored or not, layout.

    Pixels are BGR; the mean, and the factor if it is one a channel (float32 [3]), are in the network's order.
    """

    mean: Tensor
    crop: int
    scale: float | Tensor = 1.0
    mirror: bool = False
    channels_last: bool = True
    bgr: bool = True

    def random_views(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Each image cropped at its own random offset and, if `mirror`, flipped with probability 1/2."""
        return self.views(images, self.draw(len(images), images.shape[1], generator))

    def draw(self, count: int, size: int, generator: torch.Generator) -> Crops:
        """Crops of `count` images of `size` pixels a side."""
        # Drawn on the CPU: the numbers are then the same whichever device trains.
        offsets = torch.randint(size - self.crop + 1, (2, count, 1), generator=generator)
        return Crops(offsets, torch.randint(2, (count, 1, 1, 1), generator=generator).bool())

    def views(self, images: Tensor, crops: Crops) -> Tensor:
        """Each image cropped and, if `mirror`, flipped as drawn."""
        return self.cut(self.scaled(images), torch.arange(len(images), device=images.device), crops)

    def scaled(self, images: Tensor) -> Tensor:
        """Whole images minus the mean, scaled: float32 [B, S, S, 3]."""
        return self._scaled(images, self.mean)

    def cut(self, scaled: Tensor, indices: Tensor, crops: Crops) -> Tensor:
        """Views of images `indices` [B] among scaled ones [N, S, S, 3]; there is a crop for each of the B."""
        device, size = scaled.device, scaled.shape[1]
        indices, (rows, columns), flips = (moved(part, device) for part in (indices, *crops))
        # Rows of pixels are copied as a whole, several times faster than pixel by pixel.
        firsts = (indices[:, None] * (size * size) + rows * size + columns) * 3
        starts = firsts + torch.arange(0, self.crop * size * 3, size * 3, device=device)
        neighbours = scaled.flatten().unfold(0, 3 * self.crop, 1)
        views = neighbours.index_select(0, starts.flatten()).view(-1, self.crop, self.crop, 3)
        if self.mirror:
            views = torch.where(flips, views.flip(2), views)
        return self._input(views)

    def centre_views(self, images: Tensor) -> Tensor:
        """The centre crop of each image."""
        offset = (images.shape[1] - self.crop) // 2
        window = slice(offset, offset + self.crop)
        return self._input(self._scaled(images[:, window, window], self.mean[window, window]))

    def _scaled(self, images: Tensor, mean: Tensor) -> Tensor:
        # First made floats: torch makes a difference of bytes and floats by way of one more copy.
        ordered = images if self.bgr else images.flip(-1)
        return ordered.float().sub_(mean).mul_(self.scale)

    def _input(self, views: Tensor) -> Tensor:
        """[B, 3, C, C] from [B, C, C, 3]."""
        planes = views.permute(0, 3, 1, 2)
        return planes if self.channels_last else planes.contiguous()
