from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from freeze_or_tune.networks.caffenet import caffenet
from freeze_or_tune.networks.imported import read_imported, read_weights
from freeze_or_tune.networks.weights import load_pretrained, save_pretrained
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.settings import Weights
from freeze_or_tune.system.errors import UserError

from .caffemodels import blob, caffemodel
from .small import drawn

SIZES = CaffeNet(channels=(4, 6, 8, 8, 4), features=10, image_size=64, crop=60)
CLASSES = 7
Layers = dict[str, tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def network() -> nn.Module:
    return drawn(SIZES, CLASSES)


@pytest.fixture
def layers(network: nn.Module) -> Layers:
    """Weights and biases by layer; the biases are random too, so that a mix-up would show."""
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    numbers = {name: parameter.detach().numpy() for name, parameter in network.named_parameters()}
    names = [name for name, layer in network.named_children() if isinstance(layer, nn.Conv2d | nn.Linear)]
    return {name: (numbers[f"{name}.weight"], numbers[f"{name}.bias"]) for name in names}


def onnx_model(layers: Layers, *, transposed: bool = True, named: str = "{}_{}_0") -> bytes:
    """Encode a graph with the layers in a row; shapes alone matter here, the rest of CaffeNet is left out."""
    nodes, initializers, before = [], [], "data"
    for layer, arrays in layers.items():
        product = layer.startswith("fc")
        stored = (arrays[0].T if product and not transposed else arrays[0], arrays[1])
        names = [named.format(layer, kind) for kind in "wb"]
        initializers += [
            numpy_helper.from_array(np.ascontiguousarray(a), n) for a, n in zip(stored, names, strict=True)
        ]
        options = {"transB": int(transposed)} if product else {}
        nodes.append(helper.make_node("Gemm" if product else "Conv", [before, *names], [layer], **options))
        nodes.append(helper.make_node("Relu", [layer], [f"{layer}_relu"]))
        before = f"{layer}_relu"
    inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 224, 224])]
    outputs = [helper.make_tensor_value_info(before, TensorProto.FLOAT, None)]
    # The initializers last first: their order says nothing, that of the nodes does.
    graph = helper.make_graph(nodes, "caffenet", inputs, outputs, initializers[::-1])
    return helper.make_model(graph).SerializeToString()


FORMATS: dict[str, tuple[str, Callable[[Layers], bytes]]] = {
    "V1": (".caffemodel", lambda layers: caffemodel(layers, legacy=True)),
    "current": (".caffemodel", lambda layers: caffemodel(layers, legacy=False)),
    "onnx": (".onnx", onnx_model),
    "onnx without transB": (".onnx", lambda layers: onnx_model(layers, transposed=False)),
    "onnx of another converter": (".onnx", lambda layers: onnx_model(layers, named="module.{}/{}")),
}
all_formats = pytest.mark.parametrize(("suffix", "encode"), FORMATS.values(), ids=list(FORMATS))


def saved(folder: Path, name: str, contents: bytes) -> Path:
    path = folder / name
    path.write_bytes(contents)
    return path


@all_formats
def test_all_parameters_are_read_number_for_number(
    suffix: str, encode: Callable[[Layers], bytes], network: nn.Module, layers: Layers, tmp_path: Path
) -> None:
    parameters = read_weights(SIZES, saved(tmp_path, "net" + suffix, encode(layers)))
    assert parameters.keys() == dict(network.named_parameters()).keys()
    for name, parameter in network.named_parameters():
        assert torch.equal(parameters[name], parameter), name


def test_layers_that_we_do_not_know_are_no_hindrance(network: nn.Module, layers: Layers, tmp_path: Path) -> None:
    more = {"data": (np.ones((2, 2)), np.ones(2)), **layers, "loss": (np.ones((2, 2)), np.ones(2))}
    for legacy in (True, False):
        read = read_weights(SIZES, saved(tmp_path, "net.caffemodel", caffemodel(more, legacy=legacy)))
        assert torch.equal(read["fc8.weight"], network.fc8.weight)


@all_formats
def test_a_network_of_other_sizes_is_refused(
    suffix: str, encode: Callable[[Layers], bytes], layers: Layers, tmp_path: Path
) -> None:
    path = saved(tmp_path, "net" + suffix, encode(layers))
    with pytest.raises(UserError, match=r"conv2\.weight has shape .*6 x 2 x 5 x 5, the network's is 8 x 2 x 5 x 5"):
        read_weights(SIZES.model_copy(update={"channels": (4, 8, 8, 8, 4)}), path)


@all_formats
def test_a_missing_layer_is_named(
    suffix: str, encode: Callable[[Layers], bytes], layers: Layers, tmp_path: Path
) -> None:
    del layers["conv4"]
    with pytest.raises(UserError, match=r"layer 'conv4'|has 7 convolutions and products"):
        read_weights(SIZES, saved(tmp_path, "net" + suffix, encode(layers)))


@all_formats
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.999])
def test_a_truncated_file(
    suffix: str, encode: Callable[[Layers], bytes], kept: float, layers: Layers, tmp_path: Path
) -> None:
    contents = encode(layers)
    path = saved(tmp_path, "net" + suffix, contents[: int(kept * len(contents))])
    with pytest.raises(UserError, match=rf"net\{suffix} is not a whole .*; get it again"):
        read_weights(SIZES, path)


@pytest.mark.parametrize("suffix", [".caffemodel", ".onnx"])
@pytest.mark.parametrize(
    ("contents", "problem"),
    [(b"\n <!DOCTYPE html><html>", "is a web page"), (b"", "layer 'conv1'|has 0"), (b"\xff" * 99, "not a whole")],
    ids=["html", "empty", "noise"],
)
def test_what_is_no_network_at_all(suffix: str, contents: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=problem):
        read_weights(SIZES, saved(tmp_path, "net" + suffix, contents))


def test_numbers_must_be_finite(layers: Layers, tmp_path: Path) -> None:
    layers["fc6"][0][3, 1] = np.nan
    with pytest.raises(UserError, match=r"fc6\.weight holds values that are not finite"):
        read_weights(SIZES, saved(tmp_path, "net.caffemodel", caffemodel(layers, legacy=True)))


def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.caffemodel or \.onnx"):
        read_weights(SIZES, tmp_path / "net.h5")


MEAN = np.random.default_rng(0).uniform(0, 255, (3, 64, 64)).astype(np.float32)


@pytest.fixture
def means(tmp_path: Path) -> dict[str, Path]:
    """The same mean image in all the forms that Caffe's users have."""
    np.save(tmp_path / "float32.npy", MEAN)
    np.save(tmp_path / "float64.npy", MEAN.astype(np.float64))
    return {
        "float32": tmp_path / "float32.npy",
        "float64": tmp_path / "float64.npy",
        "V1": saved(tmp_path, "v1.binaryproto", blob(MEAN, legacy=True)),
        "current": saved(tmp_path, "current.binaryproto", blob(MEAN[None], legacy=False)),
    }


@pytest.mark.parametrize("form", ["float32", "float64", "V1", "current"])
def test_the_mean_image_keeps_rows_columns_and_channels(
    form: str, means: dict[str, Path], layers: Layers, tmp_path: Path
) -> None:
    weights = saved(tmp_path, "net.caffemodel", caffemodel(layers, legacy=True))
    pretrained = read_imported(SIZES, Weights(file=str(weights), mean=str(means[form])))
    assert pretrained.mean.shape == (64, 64, 3)
    assert pretrained.mean.dtype == torch.float32
    for channel, row, column in [(0, 0, 0), (2, 5, 60), (1, 63, 2)]:
        assert pretrained.mean[row, column, channel] == MEAN[channel, row, column]
    assert pretrained.classes == CLASSES
    save_pretrained(pretrained, tmp_path / "net.safetensors")
    again = load_pretrained(tmp_path / "net.safetensors")
    assert torch.equal(again.mean, pretrained.mean)
    again.copy_to(caffenet(SIZES, CLASSES), range(1, 9))


WRONG_MEANS: dict[str, tuple[str, bytes, str]] = {
    "a web page": ("m.npy", b"<html>", "not a whole .npy"),
    "a truncated blob": ("m.binaryproto", blob(MEAN, legacy=True)[:-7], "not a whole file"),
    "nothing": ("m.binaryproto", b"", "not a whole file"),
    "another size": ("m.binaryproto", blob(MEAN[:, :32, :32], legacy=True), r"\[3, 32, 32\]; .* is \[3, 64, 64\]"),
    "two means": ("m.binaryproto", blob(np.stack([MEAN, MEAN]), legacy=False), r"\[2, 3, 64, 64\]"),
    "a picture": ("m.png", b"", "is a .npy or a .binaryproto"),
    "between 0 and 1": ("m.binaryproto", blob(-MEAN, legacy=True), "lies between 0 and 255"),
}


@pytest.mark.parametrize(("name", "contents", "problem"), WRONG_MEANS.values(), ids=list(WRONG_MEANS))
def test_what_is_no_mean_image(name: str, contents: bytes, problem: str, layers: Layers, tmp_path: Path) -> None:
    weights = saved(tmp_path, "net.caffemodel", caffemodel(layers, legacy=True))
    with pytest.raises(UserError, match=problem):
        read_imported(SIZES, Weights(file=str(weights), mean=str(saved(tmp_path, name, contents))))


def test_a_truncated_npy(means: dict[str, Path], layers: Layers, tmp_path: Path) -> None:
    weights = saved(tmp_path, "net.caffemodel", caffemodel(layers, legacy=True))
    for kept in (0, 40, 5000, -1):
        path = saved(tmp_path, "m.npy", means["float32"].read_bytes()[:kept])
        with pytest.raises(UserError, match=r"not a whole \.npy"):
            read_imported(SIZES, Weights(file=str(weights), mean=str(path)))
