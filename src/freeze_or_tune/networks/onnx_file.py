"""Weights out of an ONNX model, such as the model zoo's `caffenet-12.onnx`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from torch import Tensor

from freeze_or_tune.system.errors import UserError

_WITH_WEIGHTS = ("Conv", "Gemm")


def read_onnx(path: Path, layers: Sequence[str]) -> dict[str, Tensor]:
    """`<layer>.weight` and `<layer>.bias` of the graph's convolutions and products, which in order are `layers`.

    By their order and not by name: converters name initializers each in its own way, but nodes are sorted by use.
    UserError if the graph has other layers than these.
    """
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except DecodeError:
        raise UserError(f"{path} is not a whole ONNX file; get it again") from None
    stored = {tensor.name: tensor for tensor in graph.initializer}
    nodes = [node for node in graph.node if node.op_type in _WITH_WEIGHTS and stored.keys() >= {*node.input[1:3]}]
    if len(nodes) != len(layers) or any(len(node.input) != 3 for node in nodes):
        raise UserError(
            f"{path} has {len(nodes)} convolutions and products with weights and biases of its own, "
            f"CaffeNet has {len(layers)}"
        )
    parameters = {}
    for layer, node in zip(layers, nodes, strict=True):
        weight, bias = (onnx.numpy_helper.to_array(stored[name]) for name in node.input[1:3])
        if node.op_type == "Gemm" and not any(a.name == "transB" and a.i for a in node.attribute):
            weight = weight.T
        parameters[f"{layer}.weight"] = torch.from_numpy(np.array(weight, np.float32))
        parameters[f"{layer}.bias"] = torch.from_numpy(np.array(bias, np.float32))
    return parameters
