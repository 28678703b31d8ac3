"""The same experiment as a good researcher would write it with torchvision, in a process of its own.

ImageFolder, DataLoader with two workers, transforms, one nn.Sequential, `requires_grad=False` for frozen layers, and
SGD with parameter groups. Same images, weights, batches, iterations, rates and looks at validation as ours.
"""

import copy
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.measured import Measured, since_start
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import TrainingSettings

NAMES = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")


def caffenet(sizes: CaffeNet, classes: int) -> nn.Sequential:
    """CaffeNet's layers with torch's own local response normalisation; lazy where the size depends on the crop."""
    a, b, c, d, e = sizes.channels
    return nn.Sequential(
        nn.Conv2d(3, a, 11, 4), nn.ReLU(True), nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5),
        nn.Conv2d(a, b, 5, padding=2, groups=2), nn.ReLU(True), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.LocalResponseNorm(5),
        nn.Conv2d(b, c, 3, padding=1), nn.ReLU(True),
        nn.Conv2d(c, d, 3, padding=1, groups=2), nn.ReLU(True),
        nn.Conv2d(d, e, 3, padding=1, groups=2), nn.ReLU(True), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Flatten(),
        nn.LazyLinear(sizes.features), nn.ReLU(True), nn.Dropout(sizes.dropout),
        nn.Linear(sizes.features, sizes.features), nn.ReLU(True), nn.Dropout(sizes.dropout),
        nn.Linear(sizes.features, classes),
    )  # fmt: skip


def start(settings: TrainingSettings, weights: dict[str, Tensor], classes: int) -> tuple[nn.Sequential, list[dict]]:
    """The network with copied and random layers, and its parameter groups."""
    network, solver, scheme = caffenet(settings.network, classes), settings.solver, Scheme.parse(settings.scheme)
    network(torch.zeros(1, 3, settings.network.crop, settings.network.crop))
    groups = []
    layers = [layer for layer in network if hasattr(layer, "weight")]
    for number, (name, layer) in enumerate(zip(NAMES, layers, strict=True), start=1):
        if number <= scheme.copied:
            weight = weights[f"{name}.weight"]
            layer.weight.data = weight.flip(1) if number == 1 else weight  # the source's first layer is in BGR
            layer.bias.data = weights[f"{name}.bias"]
        elif settings.network.filler == "msra" and number < 8:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        else:
            nn.init.normal_(layer.weight, 0, 0.01 if number == 8 else 0.005)
            nn.init.zeros_(layer.bias)
        if number <= scheme.frozen:
            layer.requires_grad_(False)
        else:
            rate = solver.learning_rate * (solver.copied_rate if number <= scheme.copied else 1)
            groups.append({"params": [layer.weight], "lr": rate, "weight_decay": solver.weight_decay})
            groups.append({"params": [layer.bias], "lr": 2 * rate, "weight_decay": 0.0})
    return network, groups


def loaders(settings: TrainingSettings, folder: Path, mean: Tensor) -> dict[str, DataLoader]:
    """Batches of the three subsets."""
    sizes = settings.network
    colours = (mean.mean((0, 1)).flip(0) / 255).tolist()
    tail = [transforms.ToTensor(), transforms.Normalize(colours, [1 / (255 * sizes.scale)] * 3)]
    resize = transforms.Resize((sizes.image_size, sizes.image_size))
    mirror = [transforms.RandomHorizontalFlip()] if settings.solver.mirror else []
    train = transforms.Compose([resize, transforms.RandomCrop(sizes.crop), *mirror, *tail])
    look = transforms.Compose([resize, transforms.CenterCrop(sizes.crop), *tail])
    return {
        name: DataLoader(
            ImageFolder(folder / name, train if name == "train" else look), batch_size=settings.solver.batch,
            shuffle=name == "train", num_workers=2, persistent_workers=name != "test",
        )
        for name in ("train", "val", "test")
    }  # fmt: skip


@torch.no_grad()
def accuracy(network: nn.Sequential, loader: DataLoader) -> float:
    """Over all images of a loader."""
    network.eval()
    right = torch.cat([network(images).argmax(1) == labels for images, labels in loader])
    network.train()
    return float(right.double().mean())


def main(settings_file: Path, folder: Path, weights_file: Path, seed: int) -> None:
    """Train, keep the best on validation, test."""
    settings = TrainingSettings.model_validate_json(settings_file.read_text())
    torch.manual_seed(seed)
    weights = load_file(weights_file)
    subsets = loaders(settings, folder, weights.pop("mean"))
    classes = len(subsets["train"].dataset.classes)
    network, groups = start(settings, weights, classes)
    solver = settings.solver
    iterations = solver.iterations(len(subsets["train"].dataset))
    optimiser = torch.optim.SGD(groups, momentum=solver.momentum)
    drops = [round(fraction * iterations) for fraction in solver.drops]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, drops, solver.gamma)
    looks = {round(iterations * (i + 1) / solver.evaluations) for i in range(solver.evaluations)}
    best, state, done, seen, first, began = -1.0, network.state_dict(), 0, 0, 0.0, time.perf_counter()
    network.train()
    while done < iterations:
        for images, labels in subsets["train"]:
            optimiser.zero_grad()
            F.cross_entropy(network(images), labels).backward()
            optimiser.step()
            schedule.step()
            done, seen, first = done + 1, seen + len(images), first or since_start()
            if done in looks and (now := accuracy(network, subsets["val"])) > best:
                best, state = now, copy.deepcopy(network.state_dict())
            if done == iterations:
                break
    rate = seen / (time.perf_counter() - began)
    network.load_state_dict(state)
    Measured.now(accuracy(network, subsets["test"]), first, rate).show()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
