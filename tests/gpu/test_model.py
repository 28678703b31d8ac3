"""A finished model on a GPU, where none of its tensors stays on the other side."""

from pathlib import Path

import pytest
from PIL import Image

from freeze_or_tune import Model
from tests.gpu.tensors import Gpu
from tests.stages import toy


def test_it_says_there_what_it_says_on_a_cpu(gpu: Gpu, tmp_path: Path) -> None:
    path, photos = toy.model(tmp_path), toy.photos(tmp_path)
    expected = Model.load(path).predict([*photos, Image.open(photos[0])])
    model = Model.load(path, device="cuda")
    assert model.device != "cpu"
    for ours, theirs in zip(model.predict([*photos, Image.open(photos[0])]), expected, strict=True):
        assert ours.label == theirs.label
        assert ours.probabilities == pytest.approx(theirs.probabilities, abs=1e-6)
