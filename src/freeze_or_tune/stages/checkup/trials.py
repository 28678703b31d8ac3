"""Networks to try a device with, and images that mean nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from freeze_or_tune.networks.build import build, own_mean, scale_of
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.backbones import CaffeNet, Network
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.study import Study
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.device import channels_last
from freeze_or_tune.training.images import Images

CLASSES = 10
_LIGHT = 2e8
"""Multiplications for an image: CaffeNet has 7e8, a ResNet-50 4e9, EfficientNet-Lite0 at 96 pixels 7e7."""
SMALL = CaffeNet(channels=(32, 64, 96, 96, 64), features=256, image_size=64, crop=60, scale=1 / 64, filler="msra")
"""Stands for networks that take long on a CPU: CaffeNet as the embedded study has it."""


@dataclass(frozen=True)
class Trial:
    """A network by its name, and whether its activations are kept channels last."""

    name: str
    network: Network
    channels_last: bool = True

    def made(self, device: torch.device, dtype: torch.dtype = torch.float32, chance: bool = True) -> Layered:
        """With random weights, the same each time; without `chance` nothing in it is random while it learns."""
        fixed = {"dropout": 0.0} | ({} if isinstance(self.network, CaffeNet) else {"drop_path": 0.0})
        network = build(self.network if chance else self.network.model_copy(update=fixed), CLASSES, seed=0)
        return network.to(device, dtype).to(memory_format=self._layout)

    def views(self, count: int, device: torch.device, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Random crops [B, 3, C, C] of random images, the same on each device, and their labels [B]."""
        images, cpu = self.images(count, torch.device("cpu"), seed), torch.device("cpu")
        crops = self.preprocessing(cpu).random_views(images.pixels, torch.Generator().manual_seed(seed))
        return crops.to(device, memory_format=self._layout), images.labels.to(device)

    def images(self, count: int, device: torch.device, seed: int = 0) -> Images:
        """Random pixels; each class as often."""
        size = self.network.image_size
        pixels = np.random.default_rng(seed).integers(256, size=(count, size, size, 3), dtype=np.uint8)
        return Images(torch.from_numpy(pixels).to(device), torch.arange(count, device=device) % CLASSES)

    def preprocessing(self, device: torch.device) -> Preprocessing:
        """As an experiment's, around grey where the mean would be that of training images."""
        mean, size = own_mean(self.network), self.network.image_size
        grey = torch.full((size, size, 3), 128.0)
        return Preprocessing(
            (grey if mean is None else mean).to(device), self.network.crop, scale_of(self.network, device),
            mirror=True, channels_last=self.channels_last, bgr=self.network.bgr,
        )  # fmt: skip

    @property
    def _layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


def trials(study: Study, device: torch.device, full: bool) -> list[Trial]:
    """The networks of a study's sources; on a CPU, unless all are wanted (`full`), only those that do not take long.

    Where that leaves none, a small one stands for them.
    """
    last = channels_last(study.machine, device, study.solver.precision)
    names = dict.fromkeys(source.network for source in study.sources.values())
    all_of_them = [Trial(name, study.networks[name], last) for name in names]
    if full or device.type == "cuda":
        return all_of_them
    light = [trial for trial in all_of_them if _multiplications(trial) <= _LIGHT]
    return light or [Trial("a small CaffeNet", SMALL, last)]


def schemes(blocks: int) -> Iterable[Scheme]:
    """All copied blocks tuned, all frozen, some of both, and frozen ones below several that are new."""
    few = max(0, blocks - 3)
    return dict.fromkeys((
        Scheme(blocks, blocks - 1), Scheme(blocks, blocks - 1, blocks - 1), Scheme(blocks, blocks - 1, few),
        Scheme(blocks, few, few),
    ))  # fmt: skip


def _multiplications(trial: Trial) -> int:
    """Of convolutions and fully connected layers, for one image."""
    counted: list[int] = []

    def count(layer: nn.Module, _: object, outputs: Tensor) -> None:
        counted.append(outputs.numel() * layer.weight[0].numel())  # type: ignore[index]

    device = torch.device("cpu")
    network = trial.made(device).eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(trial.views(1, device)[0])
    return sum(counted)
