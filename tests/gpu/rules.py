"""What a GPU refuses to compute, by torch's documentation (notes/cuda, notes/randomness, use_deterministic_algorithms).

Where versions of torch differ, the strictest counts.
"""

import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

COPIES = {"copy_", "_to_copy"}
"""Alone in taking tensors of any shape from two devices."""
EMPTY = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}
"""Take memory and write nothing."""
WAITING = {"nonzero", "masked_select", "bincount", "_unique2", "unique_consecutive", "unique_dim"}
"""The shape of what they return depends on numbers, which the host waits for."""
INDEXING = {"index", "_unsafe_index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put"}
"""Their second argument is a list of indices, which may lie on the host."""

_NOT_DETERMINISTIC = {
    "_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward", "_ctc_loss_backward",
    "_upsample_bicubic2d_aa_backward", "_upsample_bilinear2d_aa_backward", "adaptive_max_pool2d_backward",
    "adaptive_max_pool3d_backward", "avg_pool3d_backward", "fractional_max_pool2d_backward",
    "fractional_max_pool3d_backward", "grid_sampler_2d_backward", "grid_sampler_3d_backward", "histc",
    "max_unpool2d", "max_unpool3d", "nll_loss2d_forward", "put_", "reflection_pad1d_backward",
    "reflection_pad2d_backward", "reflection_pad3d_backward", "upsample_bicubic2d_backward",
    "upsample_bilinear2d_backward", "upsample_linear1d_backward", "upsample_trilinear3d_backward",
}  # fmt: skip
_PRODUCTS = {"mm", "addmm", "addmm_", "_addmm_activation", "bmm", "baddbmm", "baddbmm_", "mv", "addmv", "dot"}
"""cuBLAS's, deterministic only with a workspace of fixed size."""


def check(func: Any, args: Sequence[Any], kwargs: dict[str, Any], tensors: Sequence[Tensor]) -> None:
    """RuntimeError, in torch's words, for what CUDA does not compute; `tensors` are all arguments that are some."""
    name = func.overloadpacket.__name__
    if name not in COPIES:
        _one_device(func, args, [one for one in tensors if one.is_cpu])
    generator = kwargs.get("generator")
    if generator is not None and generator.device.type == "cpu":
        raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
    if not torch.are_deterministic_algorithms_enabled():
        return
    if name in _PRODUCTS and os.environ.get("CUBLAS_WORKSPACE_CONFIG") not in {":4096:8", ":16:8"}:
        raise RuntimeError("Deterministic behavior was enabled, but CUBLAS_WORKSPACE_CONFIG is not set")
    if name in _NOT_DETERMINISTIC or _in_any_order(func, args, kwargs):
        raise RuntimeError(
            f"{name} does not have a deterministic implementation, but you set "
            "'torch.use_deterministic_algorithms(True)'"
        )


def _one_device(func: Any, args: Sequence[Any], on_host: Sequence[Tensor]) -> None:
    """Beside tensors on the GPU there may be numbers (0-dim) on the host, and indices, but nothing that is written."""
    if func.overloadpacket.__name__ in INDEXING and not args[0].is_cpu:
        indices = [id(one) for one in args[1]]
        on_host = [one for one in on_host if id(one) not in indices and one.ndim]
    elif torch.Tag.pointwise in func.tags and not (func._schema.is_mutable and args[0].is_cpu):
        on_host = [one for one in on_host if one.ndim]
    if on_host:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! ({func})"
        )


def _in_any_order(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether it sums in any order, or finds any of equals, with these arguments."""
    if (name := func.overloadpacket.__name__) not in {"bincount", "cumsum", "median", "scatter_reduce"}:
        return False
    named = dict(zip((one.name for one in func._schema.arguments), args, strict=False)) | kwargs
    return {
        "bincount": named.get("weights") is not None,
        "cumsum": named["self"].is_floating_point(),
        "median": "dim" in named,  # with indices
        "scatter_reduce": named.get("reduce") == "prod",
    }[name]
