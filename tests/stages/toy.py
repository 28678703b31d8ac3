"""A model of three birds that nobody has trained, and pictures for it."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from freeze_or_tune.networks.caffenet import caffenet, initialise
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.weights import Pretrained, save_pretrained
from freeze_or_tune.records.decoding import CAFFE, Decoding
from freeze_or_tune.records.model import Use
from freeze_or_tune.stages.deployed import preprocessing
from freeze_or_tune.study.backbones import CaffeNet

SIZES = CaffeNet(
    channels=(8, 8, 8, 8, 8), features=16, image_size=48, crop=43, dropout=0.5, scale=1 / 64, filler="msra"
)
LABELS = ("owl\n", "robin 🐦", "wren")


def network() -> Layered:
    made = caffenet(SIZES, len(LABELS))
    initialise(made, "msra", 3)
    with torch.no_grad():
        made.fc8.weight.mul_(50)  # probabilities that differ
    return made.eval()


def mean() -> torch.Tensor:
    return torch.rand((48, 48, 3), generator=torch.Generator().manual_seed(4)) * 255


def model(folder: Path, decoding: Decoding = CAFFE) -> Path:
    path = folder / "model.safetensors"
    use = Use(
        dataset="birds", source="letters", scheme="T1-7_R8", labels=LABELS, network=SIZES, test_accuracy=0.5,
        decoding=decoding, preprocessing=preprocessing(SIZES, decoding),
    )  # fmt: skip
    save_pretrained(Pretrained(dict(network().named_parameters()), mean()), path, use.model_dump_json())
    return path


def photos(folder: Path) -> list[Path]:
    random = np.random.default_rng(0)
    paths = [folder / name for name in ("a photo.png", "line\nbreak.bmp", "wide.png")]
    for path, width in zip(paths, (48, 31, 200), strict=True):
        Image.fromarray(random.integers(0, 256, (40, width, 3), dtype=np.uint8)).save(path)
    return paths
