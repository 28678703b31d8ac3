"""Views of images as Caffe's data layer makes them (src/caffe/data_transformer.cpp): crop, minus mean, scale, mirror.

Images are uint8 [B, S, S, 3]; views are float32 [B, 3, C, C]. The mean image is subtracted at
the crop's offset, before mirroring.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


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
        (offsets, flips), (count, size) = crops, images.shape[:2]
        # Where each row of a crop begins in the mean, and in the images, which follow one another.
        starts = (((offsets[0] + torch.arange(self.crop)) * size + offsets[1]) * 3).to(images.device)
        places = torch.arange(count, device=images.device)[:, None] * size * size * 3
        shape = (count, self.crop, self.crop, 3)
        pixels = _stretches(self._ordered(images), places + starts, 3 * self.crop).view(shape)
        views = pixels.float().sub_(_stretches(self.mean, starts, 3 * self.crop).view(shape))
        if self.mirror:
            views = torch.where(flips.to(images.device), views.flip(2), views)
        return self._input(views)

    def centre_views(self, images: Tensor) -> Tensor:
        """The centre crop of each image."""
        offset = (images.shape[1] - self.crop) // 2
        window = slice(offset, offset + self.crop)
        return self._input(self._ordered(images[:, window, window]) - self.mean[window, window])

    def _ordered(self, images: Tensor) -> Tensor:
        return images if self.bgr else images.flip(-1)

    def _input(self, pixels: Tensor) -> Tensor:
        views = pixels.mul_(self.scale).permute(0, 3, 1, 2)
        return views if self.channels_last else views.contiguous()


def _stretches(values: Tensor, starts: Tensor, length: int) -> Tensor:
    """So many neighbours from each start on: rows of pixels are copied as a whole, several times faster than pixels."""
    return values.flatten().unfold(0, length, 1).index_select(0, starts.flatten())
