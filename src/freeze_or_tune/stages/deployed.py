"""Stage: a finished model at work: pixels in, probabilities out, in one module that torch and ONNX run alike."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from freeze_or_tune.networks.build import scale_of
from freeze_or_tune.networks.weights import Pretrained, load_pretrained, read_about
from freeze_or_tune.records.decoding import CAFFE, Decoding
from freeze_or_tune.records.model import Use
from freeze_or_tune.stages.features import source_network
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import replacing
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.cache import CHUNK

CPU = torch.device("cpu")
INPUT, OUTPUT = "images", "probabilities"


class Deployed(nn.Module):
    """RGB images uint8 [B, S, S, 3], warped to the network's image_size S, to probabilities float32 [B, classes]."""

    def __init__(self, sizes: Network, pretrained: Pretrained, device: torch.device = CPU) -> None:
        """Take a network with its classifier, and the mean image it was trained with."""
        super().__init__()
        self.network = source_network(sizes, pretrained).to(device)
        mean, scale = pretrained.mean.to(device), scale_of(sizes, device)
        self.preprocessing = Preprocessing(mean, sizes.crop, scale, bgr=sizes.bgr)
        self.size = sizes.image_size

    @classmethod
    def load(cls, path: Path, device: torch.device = CPU) -> tuple[Self, Use]:
        """Read model.safetensors; UserError if it is something else."""
        about = read_about(path)
        try:
            use = Use.model_validate_json(about)
        except ValidationError:
            raise UserError(
                f"{path} says nothing of its labels; give a model.safetensors that this project made"
            ) from None
        return cls(use.network, load_pretrained(path), device), use

    def forward(self, images: Tensor) -> Tensor:
        """Crop, subtract the mean, scale, classify."""
        return self._scores(images).softmax(1)

    def classify(self, images: np.ndarray) -> np.ndarray:
        """`forward` on a few images at a time, without gradients."""
        return self._in_chunks(self, images)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """What the probabilities are the softmax of, likewise."""
        return self._in_chunks(self._scores, images)

    def _scores(self, images: Tensor) -> Tensor:
        bgr = images.flip(-1)  # what preprocessing starts from
        return self.network(self.preprocessing.centre_views(bgr))

    def _in_chunks(self, compute: Callable[[Tensor], Tensor], images: np.ndarray) -> np.ndarray:
        device = self.preprocessing.mean.device
        with torch.no_grad():
            chunks = torch.from_numpy(images).split(CHUNK)
            return torch.cat([compute(chunk.to(device)).cpu() for chunk in chunks]).numpy()


def preprocessing(sizes: Network, decoding: Decoding = CAFFE) -> str:
    """What is done to an image, in words."""
    size, crop, scale = sizes.image_size, sizes.crop, scale_of(sizes, CPU)
    factors = scale.tolist() if isinstance(scale, torch.Tensor) else scale
    return (
        f"Decode to 8-bit RGB {_decoded(decoding)}, transparency laid over white, colour profiles ignored; "
        f"warp to {size} x {size} pixels, bilinear without antialiasing, ignoring the aspect ratio; "
        f"{'reverse the channels to BGR; ' if sizes.bgr else ''}subtract the tensor `mean` [{size}, {size}, 3]; "
        f"take the central {crop} x {crop} pixels; multiply by {factors}; put the channels first."
    )


def _decoded(decoding: Decoding) -> str:
    turned = (
        "turned as EXIF orientation says" if decoding.orientation == "exif" else "as stored, ignoring EXIF orientation"
    )
    ranges = {"integers of more than 8 bits": decoding.integers, "real numbers": decoding.reals}
    scaled = "".join(
        f", {kind} from {known[0]:g} to {known[1]:g} scaled to 0 to 255, rounded and clipped"
        for kind, known in ranges.items()
        if known
    )
    return turned + (scaled if decoding.integers else f", of 16 bits the upper 8{scaled}")


def export_onnx(model: Path, destination: Path) -> None:
    """Write a model as ONNX: `images` uint8 [B, S, S, 3] in RGB to `probabilities` [B, classes], for any B."""
    deployed, _ = Deployed.load(model)
    example = torch.zeros(2, deployed.size, deployed.size, 3, dtype=torch.uint8)
    batch = {0: "batch"}
    with replacing(destination) as temporary:
        # Not torch's newer exporter, which needs one more package (onnxscript).
        torch.onnx.export(
            deployed.eval(), (example,), str(temporary), input_names=[INPUT], output_names=[OUTPUT],
            dynamic_axes={INPUT: batch, OUTPUT: batch}, dynamo=False,
        )  # fmt: skip
