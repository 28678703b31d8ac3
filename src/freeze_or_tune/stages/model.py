"""Stage: a finished model for those who program: images of any kind in, predictions out."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from freeze_or_tune.data.own.given import Given, Pictures, given
from freeze_or_tune.records.model import Use
from freeze_or_tune.records.prediction import Prediction, Predictions
from freeze_or_tune.stages.deployed import Deployed
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.machine import usable_cores

Errors = Literal["raise", "keep"]

_TOGETHER = 32
"""Images at once: the first answers come soon, and however many images there are take no more memory."""
_PATIENCE = 2
"""Seconds before progress is shown."""


class Model:
    """A network with its classifier, as `model.safetensors` holds it."""

    def __init__(self, deployed: Deployed, use: Use, card: str = "") -> None:
        """Take what `load` has read."""
        self._deployed, self.use, self.card = deployed, use, card

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str = "cpu") -> Self:
        """Read model.safetensors, or the one in a folder, to compute on a device of torch's, such as `cuda`.

        UserError if it is something else, or the device is not there.
        """
        file = Path(path)
        if file.is_dir():
            file /= "model.safetensors"
        deployed, use = Deployed.load(file, _device(device))
        card = file.with_suffix(".md")
        return cls(deployed, use, card.read_text(encoding="utf-8") if card.is_file() else "")

    @property
    def labels(self) -> tuple[str, ...]:
        """What the model can answer, in the order of its probabilities."""
        return self.use.labels

    @property
    def device(self) -> str:
        """Where it computes."""
        return str(self._deployed.preprocessing.mean.device)

    def predict(self, images: Pictures, *, errors: Errors = "raise") -> Predictions:
        """What the model says of one image, or of several in their order.

        An image is a path, an image of Pillow's (as it stands, treated as its file would be) or an array: uint8 or
        uint16 [H, W], [H, W, 3] in RGB or [H, W, 4] with opacity, real numbers [H, W] or [H, W, 3] if the model has
        been trained with such; an array [N, H, W, 3 or 4] is N of them. A folder stands for all images in it. An image
        that cannot be read is a UserError, or kept as a prediction that says why.
        """
        return Predictions(self.stream(images, errors=errors, progress=True), self.labels)

    def stream(self, images: Pictures, *, errors: Errors = "raise", progress: bool = False) -> Iterator[Prediction]:
        """The same one by one, as soon as they are known; `images` that are an iterator are asked for as needed."""
        if errors not in ("raise", "keep"):
            raise ValueError(f"errors is {errors!r}; say 'raise' or 'keep'")
        # Listed beforehand where that costs nothing: a folder without images is told before anything is computed.
        listed = given(images) if isinstance(images, Iterator) else list(given(images))
        return self._answers(listed, errors, progress)

    def _answers(self, images: Iterable[Given], errors: Errors, progress: bool) -> Iterator[Prediction]:
        total = len(images) if isinstance(images, list) else None
        with (
            ThreadPoolExecutor(max(1, int(usable_cores()))) as pool,
            tqdm(total=total, unit="images", delay=_PATIENCE, leave=False, disable=None if progress else True) as bar,
        ):
            for some in _parts(images):
                # Large photographs take longer to decode than to classify. What is in memory may be one image twice.
                read = pool.map if all(isinstance(image.image, Path) for image in some) else map
                found = list(read(partial(self._pixels, errors=errors), some))
                yield from self._told(some, found)
                bar.update(len(some))

    def _pixels(self, image: Given, errors: Errors) -> NDArray[np.uint8] | str:
        """The pixels, or why there are none."""
        try:
            return image.pixels(self._deployed.size, self.use.decoding)
        except UserError as error:
            if errors == "raise":
                raise
            return str(error)

    def _told(self, images: list[Given], found: list[NDArray[np.uint8] | str]) -> Iterator[Prediction]:
        pixels = [one for one in found if not isinstance(one, str)]
        answers = iter(self._deployed.classify(np.stack(pixels)) if pixels else ())
        for image, one in zip(images, found, strict=True):
            if isinstance(one, str):
                yield Prediction(image.name, error=one)
            else:
                yield self._prediction(image.name, next(answers))

    def _prediction(self, name: str, probabilities: NDArray[np.float32]) -> Prediction:
        by_label = dict(zip(self.labels, map(float, probabilities), strict=True))
        label = max(by_label, key=by_label.__getitem__)
        return Prediction(name, label, by_label[label], by_label)

    def __repr__(self) -> str:
        """What it tells apart, and how it was trained."""
        use = self.use
        return f"<Model of {use.dataset}: {len(self.labels)} labels, {use.scheme} of {use.source}, on {self.device}>"


def _parts(images: Iterable[Given]) -> Iterator[list[Given]]:
    part: list[Given] = []
    for image in images:
        part.append(image)
        if len(part) == _TOGETHER:
            yield part
            part = []
    if part:
        yield part


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (AssertionError, NotImplementedError, RuntimeError) as error:  # whatever torch says of a missing device
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"cannot compute on the device {name!r}: {why}; leave it out to compute on the CPU") from None
    return device
