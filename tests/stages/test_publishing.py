from pathlib import Path

import numpy as np
import pytest
import torch

from freeze_or_tune.__main__ import main
from freeze_or_tune.networks.build import build
from freeze_or_tune.records.distances import Distance, MeanFeatures
from freeze_or_tune.stages.distances.means import measure
from freeze_or_tune.study.backbones import TimmNetwork
from freeze_or_tune.system.errors import UserError
from tests.stages.files import PICTURES, Files

NETWORK = TimmNetwork.model_validate(
    {"architecture": "timm", "name": "resnet18", "image_size": 48, "crop": 40, "mean": [100] * 3, "deviation": [50] * 3}
)
STUDY = """
name: published
datasets:
  letters: {{ reader: folder, path: {images} }}
networks:
  resnet: {{ architecture: timm, name: resnet18, image_size: 48, crop: 40, mean: {mean}, deviation: {deviation} }}
sources:
  published: {{ network: resnet, weights: {{ file: {weights} }}, mean_features: {folder}/mean.json }}
targets:
  letters: {{ dataset: letters, source: published, n: [2], val: 1, test: 1 }}
schemes: [T1-5_R6]
distances: {{ metrics: [cosine, mmd] }}
"""


@pytest.fixture
def study(files: Files, tmp_path: Path) -> Path:
    """A study of a network from a file, whose images are somewhere else."""
    network = build(NETWORK, 7, seed=1)
    state = {name.replace("classifier", "fc"): value for name, value in network.state_dict().items()}
    torch.save(state, tmp_path / "resnet.pth")
    images = files.folder / "letters-images"
    text = STUDY.format(
        images=images, weights=tmp_path / "resnet.pth", folder=tmp_path, mean=[100] * 3, deviation=[50] * 3
    )
    (tmp_path / "study.yaml").write_text(text)
    return tmp_path / "study.yaml"


def command(study: Path, images: Path, *more: str) -> int:
    return main(
        ["mean-features", "published", str(images), str(study.parent / "mean.json"), *more, "--configfile", str(study)]
    )


def test_the_mean_is_that_of_the_networks_features(
    files: Files, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(study, files.folder / "letters-images") == 0
    pixels = np.array(list(PICTURES["letters"].values())).astype(np.float32)
    crops = torch.from_numpy(((pixels - 100) / 50)[:, 4:44, 4:44].transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        features = build(NETWORK, 7, seed=1).eval().features(crops)
    mean = MeanFeatures.read(study.parent / "mean.json")
    np.testing.assert_allclose(mean.mean, features.mean(0), rtol=1e-4, atol=1e-5)
    assert (mean.images, mean.estimated) == (42, False)
    assert mean.about.startswith("resnet18, crops of 40 of 48 pixels, weights ")
    assert mean.about.endswith(", 42 images of letters-images")
    assert mean.about in capsys.readouterr().out
    assert not list(study.parent.glob(".mean-*"))


def test_a_sample_of_each_class_is_enough(files: Files, study: Path) -> None:
    assert command(study, files.folder / "letters-images", "--per-class", "5") == 0
    assert MeanFeatures.read(study.parent / "mean.json").images == 15


def test_what_cannot_be_is_said(files: Files, study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(study, study.parent / "nothing") == 1
    assert "nothing does not exist; give a folder, zip or tar of images" in capsys.readouterr().err
    assert main(["mean-features", "other", str(files.folder), "x.json", "--configfile", str(study)]) == 1
    assert "'other' is not a source of this study; its sources are published" in capsys.readouterr().err


def test_means_of_another_network_are_no_distance(tmp_path: Path) -> None:
    MeanFeatures(images=3, mean=(1.0, 2.0), about="vgg11").write(tmp_path / "a.json")
    MeanFeatures(images=3, mean=(1.0, 2.0, 3.0)).write(tmp_path / "b.json")
    with pytest.raises(UserError, match=r"means of 2 features \(vgg11\), but the network of s has 3"):
        measure("cosine", "s", "t", tmp_path / "a.json", tmp_path / "b.json", tmp_path / "d.json")
    measure("cosine", "s", "t", tmp_path / "b.json", tmp_path / "b.json", tmp_path / "d.json")
    assert Distance.read(tmp_path / "d.json").value == 0
