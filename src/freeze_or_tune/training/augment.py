"""Views of images as Caffe's data layer makes them (src/caffe/data_transformer.cpp): crop, minus mean, scale, mirror.

Images are uint8 [B, S, S, 3]; views are float32 [B, 3, C, C]. The mean image is subtracted at
the crop's offset, before mirroring.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


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
        count, size = images.shape[:2]
        # Drawn on the CPU: the numbers are then the same whichever device trains.
        offsets = torch.randint(size - self.crop + 1, (2, count, 1), generator=generator)
        flips = torch.randint(2, (count, 1), generator=generator).bool() & self.mirror
        steps = torch.arange(self.crop)
        rows = (offsets[0] + steps).to(images.device)[:, :, None]
        columns = (offsets[1] + torch.where(flips, steps.flip(0), steps)).to(images.device)[:, None, :]
        index = torch.arange(count, device=images.device)[:, None, None]
        return self._input(images[index, rows, columns], self.mean[rows, columns])

    def centre_views(self, images: Tensor) -> Tensor:
        """The centre crop of each image."""
        offset = (images.shape[1] - self.crop) // 2
        window = slice(offset, offset + self.crop)
        return self._input(images[:, window, window], self.mean[window, window])

    def _input(self, pixels: Tensor, mean: Tensor) -> Tensor:
        ordered = pixels if self.bgr else pixels.flip(-1)
        views = ((ordered - mean) * self.scale).permute(0, 3, 1, 2)
        return views if self.channels_last else views.contiguous()
