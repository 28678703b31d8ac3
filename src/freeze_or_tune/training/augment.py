"""Views of images as Caffe's data layer makes them (src/caffe/data_transformer.cpp): crop, minus mean, scale, mirror.

Images are uint8 [B, S, S, 3]; views are float32 [B, 3, C, C] in channels-last memory. The mean image is subtracted at
the crop's offset, before mirroring.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


def in_order(images: Tensor, bgr: bool) -> Tensor:
    """RGB images [..., 3] in a network's order of channels."""
    return images.flip(-1) if bgr else images


@dataclass(frozen=True)
class Preprocessing:
    """What stands between pixels and a network: mean image float32 [S, S, 3], crop C, factor, mirrored or not.

    The factor is one number, or one a channel (float32 [3]).
    """

    mean: Tensor
    crop: int
    scale: float | Tensor = 1.0
    mirror: bool = False

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
        return ((pixels - mean) * self.scale).permute(0, 3, 1, 2)
