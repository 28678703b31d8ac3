from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

from freeze_or_tune.data.decoding import decode
from freeze_or_tune.networks.build import build, own_mean
from freeze_or_tune.networks.weights import Pretrained, read_about, save_pretrained
from freeze_or_tune.records.decoding import Decoding
from freeze_or_tune.records.model import Use
from freeze_or_tune.stages.deployed import Deployed, export_onnx, preprocessing
from freeze_or_tune.study.backbones import TimmNetwork
from freeze_or_tune.system.errors import UserError

from . import toy
from .toy import LABELS, SIZES


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return toy.network()


@pytest.fixture(scope="module")
def mean() -> torch.Tensor:
    return toy.mean()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return toy.photos(tmp_path_factory.mktemp("photos"))


def pixels(photos: list[Path]) -> np.ndarray:
    return np.array([decode(path.read_bytes(), 48) for path in photos])


def by_hand(photos: list[Path], network: torch.nn.Module, mean: torch.Tensor) -> np.ndarray:
    """What the header's words say, in numpy."""
    inputs = (pixels(photos)[..., ::-1].astype(np.float32) - mean.numpy())[:, 2:45, 2:45] / 64
    with torch.no_grad():
        scores = network(torch.from_numpy(np.ascontiguousarray(inputs.transpose(0, 3, 1, 2)))).numpy()
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_a_model_that_is_read_back_does_what_its_header_says(
    model: Path, photos: list[Path], network: torch.nn.Module, mean: torch.Tensor
) -> None:
    deployed, use = Deployed.load(model)
    assert use.labels == LABELS
    np.testing.assert_allclose(deployed.classify(pixels(photos)), by_hand(photos, network, mean), atol=1e-6)
    for words in (
        "ignoring EXIF orientation",
        "warp to 48 x 48",
        "BGR",
        "tensor `mean`",
        "central 43 x 43",
        "multiply by 0.015625",
        "channels first",
    ):
        assert words in use.preprocessing


def test_the_words_say_how_files_are_decoded() -> None:
    assert "as stored, ignoring EXIF orientation, of 16 bits the upper 8, transparency" in preprocessing(SIZES)
    own = preprocessing(SIZES, Decoding(orientation="exif", integers=(0, 4095), reals=(-1, 1)))
    assert "turned as EXIF orientation says, integers of more than 8 bits from 0 to 4095 scaled to 0 to 255" in own
    assert "real numbers from -1 to 1 scaled to 0 to 255, rounded and clipped" in own
    assert "ignoring EXIF" not in own


def test_onnx_gives_the_same_for_any_number_of_images(
    model: Path, photos: list[Path], network: torch.nn.Module, mean: torch.Tensor, tmp_path: Path
) -> None:
    export_onnx(model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    for chosen in (photos, photos[:1]):
        (found,) = session.run(["probabilities"], {"images": pixels(chosen)})
        np.testing.assert_allclose(found, by_hand(chosen, network, mean), atol=1e-6)


def test_a_model_that_is_not_whole_stays(model: Path, tmp_path: Path) -> None:
    tensors = load_file(model)
    del tensors["mean"]
    save_file(tensors, tmp_path / "broken.safetensors", {"about": read_about(model)})
    with pytest.raises(UserError, match=r"broken\.safetensors is not a complete network of this project \('mean'\)$"):
        Deployed.load(tmp_path / "broken.safetensors")


def test_a_source_is_no_model(tmp_path: Path, photos: list[Path], network: torch.nn.Module, mean: torch.Tensor) -> None:
    save_pretrained(Pretrained(dict(network.named_parameters()), mean), tmp_path / "source.safetensors")
    with pytest.raises(UserError, match="says nothing of its labels"):
        Deployed.load(tmp_path / "source.safetensors")


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), (b"words", "is not a safetensors file"), (b"", "is not a safetensors")],
)
def test_other_files_are_no_models(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "model").write_bytes(content)
    with pytest.raises(UserError, match=words):
        Deployed.load(tmp_path / "model")


@pytest.mark.slow
def test_networks_of_timm_see_red_first(tmp_path: Path) -> None:
    sizes = TimmNetwork(architecture="timm", name="tf_efficientnet_lite0", image_size=72, crop=64)
    network, mean = build(sizes, len(LABELS), seed=1).eval(), own_mean(sizes)
    assert mean is not None
    use = Use(
        dataset="birds", source="imagenet", scheme="T1-7_R8", labels=LABELS, network=sizes, test_accuracy=0.5,
        preprocessing=preprocessing(sizes),
    )  # fmt: skip
    assert "BGR" not in use.preprocessing
    save_pretrained(Pretrained(network.state_dict(), mean), tmp_path / "model.safetensors", use.model_dump_json())
    export_onnx(tmp_path / "model.safetensors", tmp_path / "model.onnx")
    images = np.random.default_rng(0).integers(0, 256, (3, 72, 72, 3), dtype=np.uint8)
    inputs = (images[:, 4:68, 4:68].astype(np.float32) - 127.5) / 127.5  # Inception's, which this network was given
    with torch.no_grad():
        expected = network(torch.from_numpy(inputs.transpose(0, 3, 1, 2).copy())).softmax(1).numpy()
    np.testing.assert_allclose(Deployed.load(tmp_path / "model.safetensors")[0].classify(images), expected, atol=1e-5)
    (found,) = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"images": images})
    np.testing.assert_allclose(found, expected, atol=1e-5)
