import hashlib
from pathlib import Path

import numpy as np
import pytest

from freeze_or_tune.data.downloads.catalogue import COLUMNS
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.imported import ImportedNetwork
from freeze_or_tune.stages.importing import import_network
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.settings import Weights

from ..networks.caffemodels import caffemodel
from ..networks.small import drawn

SIZES = CaffeNet(channels=(4, 6, 8, 8, 4), features=10, image_size=64, crop=60)


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    """Files of a network with 7 classes, and its mean image."""
    numbers = {name: parameter.detach().numpy() for name, parameter in drawn(SIZES, 7).named_parameters()}
    names = dict.fromkeys(name.split(".")[0] for name in numbers)
    layers = {name: (numbers[f"{name}.weight"], numbers[f"{name}.bias"]) for name in names}
    (tmp_path / "net.caffemodel").write_bytes(caffemodel(layers, legacy=True))
    np.save(tmp_path / "mean.npy", np.full((3, 64, 64), 100.0))
    return Weights(file=str(tmp_path / "net.caffemodel"), mean=str(tmp_path / "mean.npy"))


def test_the_record_says_where_the_numbers_are_from(weights: Weights, tmp_path: Path) -> None:
    sha1 = hashlib.sha1(Path(weights.file).read_bytes()).hexdigest()
    row = f"caffenet,net.caffemodel,http://host.org/net.caffemodel,,,,sha1,{sha1},unrestricted,,"
    # A file of the mean's name, but with other bytes.
    other = f"caffenet,mean.npy,http://host.org/mean.npy,,,,md5,{32 * 'a'},BSD-2-Clause,,"
    (tmp_path / "downloads.csv").write_text("\n".join([",".join(COLUMNS), row, other]) + "\n")
    import_network(
        "imagenet", SIZES, weights, tmp_path / "downloads.csv", tmp_path / "out.safetensors", tmp_path / "out.json"
    )
    record = ImportedNetwork.read(tmp_path / "out.json")
    assert (record.source, record.format, record.classes) == ("imagenet", "caffemodel", 7)
    # Counted by hand: conv1-conv5, then fc6 (pool5 leaves one pixel), fc7 and fc8.
    convolutions = (363 * 4 + 4) + (50 * 6 + 6) + (54 * 8 + 8) + (36 * 8 + 8) + (36 * 4 + 4)
    assert record.parameters == convolutions + (4 * 10 + 10) + (10 * 10 + 10) + (10 * 7 + 7)
    assert (record.weights.address, record.weights.licence) == ("http://host.org/net.caffemodel", "unrestricted")
    assert record.weights.sha256 == hashlib.sha256(Path(weights.file).read_bytes()).hexdigest()
    assert (record.mean.file, record.mean.address, record.mean.licence) == ("mean.npy", None, None)
    assert load_pretrained(tmp_path / "out.safetensors").classes == 7
