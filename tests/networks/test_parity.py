"""CaffeNet at full size against OpenCV, which runs Caffe's definition on Caffe's file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from freeze_or_tune.networks.caffenet import caffenet
from freeze_or_tune.networks.imported import read_imported
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.settings import Weights
from freeze_or_tune.training.augment import Preprocessing

from .caffemodels import blob, caffemodel
from .deploy import BLOBS, DEPLOY

CAFFENET = CaffeNet(channels=(96, 256, 384, 384, 256), features=4096, image_size=256, crop=227)
# Shapes of train_val.prototxt's weights, written down by hand: [out, in / groups, kernel, kernel], [out, in].
SHAPES = {
    "conv1": (96, 3, 11, 11), "conv2": (256, 48, 5, 5), "conv3": (384, 256, 3, 3), "conv4": (384, 192, 3, 3),
    "conv5": (256, 192, 3, 3), "fc6": (4096, 9216), "fc7": (4096, 4096), "fc8": (1000, 4096),
}  # fmt: skip
RNG = np.random.default_rng(0)
MEAN = RNG.uniform(90, 130, (3, 256, 256)).astype(np.float32)


@pytest.fixture(scope="module")
def layers() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Weights at which the signal neither dies out nor explodes, and biases large enough to matter."""
    drawn = {}
    for name, shape in SHAPES.items():
        scale = np.float32(np.sqrt(2 / np.prod(shape[1:])))
        bias = RNG.standard_normal(shape[0], np.float32)
        drawn[name] = (RNG.standard_normal(shape, np.float32) * scale, bias * (20 if name == "conv1" else 5))
    return drawn


@pytest.mark.slow
@pytest.mark.parametrize("legacy", [True, False], ids=["V1", "current"])
def test_every_blob_is_caffes(legacy: bool, layers: dict[str, tuple[np.ndarray, np.ndarray]], tmp_path: Path) -> None:
    file, mean = tmp_path / "bvlc_reference_caffenet.caffemodel", tmp_path / "imagenet_mean.binaryproto"
    file.write_bytes(caffemodel(layers, legacy=legacy))
    mean.write_bytes(blob(MEAN, legacy=legacy))
    (tmp_path / "deploy.prototxt").write_text(DEPLOY)
    image = RNG.integers(0, 256, (256, 256, 3), np.uint8)  # BGR

    pretrained = read_imported(CAFFENET, Weights(file=str(file), mean=str(mean)))
    assert sum(parameter.numel() for parameter in pretrained.parameters.values()) == 60_965_224
    network = caffenet(CAFFENET, pretrained.classes).eval().to(memory_format=torch.channels_last)
    pretrained.copy_to(network, range(1, 9))
    ours: dict[str, np.ndarray] = {}
    for layer_name, layer in network.named_children():
        # Cloned: what follows may write in place, as Caffe does.
        layer.register_forward_hook(lambda _, __, out, name=layer_name: ours.update({name: out[0].clone().numpy()}))
    with torch.no_grad():
        network(Preprocessing(pretrained.mean, CAFFENET.crop).centre_views(torch.from_numpy(image)[None]))

    oracle = cv2.dnn.readNetFromCaffe(str(tmp_path / "deploy.prototxt"), str(file))
    oracle.enableFusion(False)
    crop = (image.transpose(2, 0, 1) - MEAN)[:, 14:241, 14:241]
    oracle.setInput(crop[None].astype(np.float32), "data")
    theirs = dict(zip(BLOBS, oracle.forward([*BLOBS.values()]), strict=True))
    assert {name: out.shape[-1] for name, out in theirs.items()} == {
        "conv1": 55, "pool1": 27, "norm1": 27, "conv2": 27, "pool2": 13, "norm2": 13, "conv3": 13, "conv4": 13,
        "conv5": 13, "pool5": 6, "fc6": 4096, "fc7": 4096, "fc8": 1000,
    }  # fmt: skip
    # Seen on one machine: 5e-6 at most.
    for name, layer in BLOBS.items():
        largest = np.abs(theirs[name]).max()
        assert 1 < largest < 1e5, f"{name} says nothing"
        # Caffe rectifies before it pools, we after.
        pooled = name in {"conv1", "conv2", "conv5"}
        out = np.maximum(ours[name], 0) if pooled else ours[layer.replace("pool", "relu")]
        assert np.abs(out - theirs[name][0]).max() < 1e-4 * largest, name
