"""The emulated GPU itself: it must refuse and count what a GPU does, or the other tests of this folder say little."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.gpu.emulated import NAME, emulated_gpu
from tests.gpu.tensors import Gpu

CUDA = torch.device("cuda")


def ones(*shape: int) -> Tensor:
    return torch.ones(shape, device="cuda")


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2)
    )


def gradients(device: torch.device) -> list[Tensor]:
    """Of a small network's parameters, and its statistics afterwards."""
    images = torch.rand((5, 3, 8, 8), generator=torch.Generator().manual_seed(1)).to(device)
    net = network().to(device)
    F.cross_entropy(net(images), torch.tensor([0, 1, 0, 1, 1], device=device)).backward()
    found = [one.grad for one in net.parameters()] + list(net.buffers())
    assert {one.device.type for one in found} == {device.type}
    return [one.cpu() for one in found]


def test_it_computes_what_the_cpu_computes() -> None:
    on_cpu = gradients(torch.device("cpu"))
    with emulated_gpu():
        on_gpu = gradients(CUDA)
    for ours, theirs in zip(on_gpu, on_cpu, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    "made",
    [
        lambda: torch.tensor([1.0, 2.0], device="cuda"),
        lambda: torch.arange(1.0, 3.0, device=CUDA),
        lambda: torch.tensor([1.0, 2.0]).to(CUDA),
        lambda: torch.tensor([1.0, 2.0]).cuda(),
        lambda: torch.empty(2, pin_memory=True).copy_(torch.tensor([1.0, 2.0])).to(CUDA, non_blocking=True),
        lambda: torch.tensor([1.0, 2.0]).to(ones(1).device),
    ],
)
def test_where_tensors_lie(made: Callable[[], Tensor], gpu: Gpu) -> None:
    value = made()
    assert (value.device, value.is_cuda) == (torch.device("cuda:0"), True)
    assert (value + value).device == value[1:].device == value.device
    assert value.tolist() == value.cpu().numpy().tolist() == [1, 2]
    assert value.cpu().device.type == "cpu"
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        value.numpy()


def test_views_share_memory(gpu: Gpu) -> None:
    whole = ones(4)
    whole[1:3].mul_(2)
    torch._foreach_add_([whole[:1]], 5)
    assert whole.tolist() == [6, 2, 2, 1]


def test_what_torch_says_of_it(gpu: Gpu) -> None:
    assert torch.cuda.is_available()
    assert not torch.cuda.is_initialized()
    ones(2**18)
    assert torch.cuda.is_initialized()
    assert (torch.cuda.device_count(), torch.cuda.get_device_name(CUDA)) == (1, NAME)
    assert torch.cuda.mem_get_info(CUDA) == (16 * 2**30, 16 * 2**30)
    assert torch.cuda.max_memory_allocated(CUDA) == 2**20


def test_nothing_is_left_of_it() -> None:
    before = torch.cuda.is_available()
    with emulated_gpu():
        value = ones(1)
        torch.backends.cuda.matmul.allow_tf32 = True
    assert torch.cuda.is_available() == before
    assert not torch.backends.cuda.matmul.allow_tf32
    with pytest.raises(RuntimeError, match="emulated GPU that is gone"):
        value + value


def test_what_is_counted(gpu: Gpu) -> None:
    value = torch.tensor([1.0, -2.0]).to(CUDA)  # an upload, for which torch waits
    whole = value.view(2, 1)[:1].detach()  # views
    whole.add_(torch.tensor(1.0)).mul_(3)  # 2 operations; a number needs no copy
    torch.tensor(1.0, device="cuda")  # an upload nevertheless
    torch.ones(2).to(CUDA, non_blocking=True)
    value[[1]]  # an upload of indices
    torch.empty(3, device="cuda")  # nothing
    assert gpu.counts.operations == {"add_": 1, "mul_": 1}
    assert gpu.counts.uploads == {"_to_copy": 3, "index": 1}
    assert gpu.counts.waits == {"_to_copy": 2, "index": 1}
    before = gpu.counts.copy()
    float(value[0]), value[1].item(), bool(value[0] > 0), value.tolist(), value.cpu(), value[value > 0]
    torch.ones(2).copy_(value)
    value.copy_(torch.ones(2), non_blocking=True)
    torch.equal(value, value)
    spent = gpu.counts - before
    assert spent.waits == {"_local_scalar_dense": 3, "_to_copy": 2, "index": 1, "copy_": 1, "equal": 1}
    assert spent.operations == {"gt": 2}
    assert spent.uploads == {"copy_": 1}


def test_memory_ends() -> None:
    with emulated_gpu(2**20) as gpu:
        first = ones(2**17)
        with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
            ones(2**17 + 1)
        view = first[1:]
        assert torch.cuda.mem_get_info() == (2**19, 2**20)
        del first
        assert gpu.allocated == 2**19
        del view
        assert gpu.allocated == 0
        assert torch.cuda.max_memory_allocated() == ones(2**17).nbytes


def test_it_has_random_numbers_of_its_own(gpu: Gpu) -> None:
    torch.manual_seed(1)
    of_cpu, of_gpu = torch.get_rng_state(), torch.cuda.get_rng_state()
    first = F.dropout(ones(100)).tolist()
    assert torch.equal(torch.get_rng_state(), of_cpu)
    assert F.dropout(ones(100)).tolist() != first
    torch.cuda.set_rng_state(of_gpu)
    assert F.dropout(ones(100)).tolist() == first
    torch.manual_seed(1)
    assert F.dropout(ones(100)).tolist() == first
    torch.manual_seed(2)
    assert F.dropout(ones(100)).tolist() != first


def test_files_know_where_tensors_lay(gpu: Gpu) -> None:
    buffer = io.BytesIO()
    torch.save({"ours": [ones(2)], "theirs": torch.ones(2), "network": network().to(CUDA).state_dict()}, buffer)

    def lie(**options: Any) -> list[str]:
        buffer.seek(0)
        state = torch.load(buffer, weights_only=True, **options)
        assert state["ours"][0].tolist() == state["theirs"].tolist() == [1, 1]
        return [one.device.type for one in (*state["ours"], state["theirs"], state["network"]["0.weight"])]

    assert lie() == ["cuda", "cpu", "cuda"]
    assert lie(map_location="cpu") == ["cpu", "cpu", "cpu"]
    assert lie(map_location=CUDA) == ["cuda", "cuda", "cuda"]


def test_files_of_a_gpu_where_there_is_none() -> None:
    buffer = io.BytesIO()
    with emulated_gpu():
        torch.save(ones(2), buffer)
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True, map_location="cpu").tolist() == [1, 1]
    buffer.seek(0)
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device"):
        torch.load(buffer, weights_only=True)


def test_autocast_multiplies_in_bfloat16(gpu: Gpu) -> None:
    layer = nn.Linear(2, 2).to(CUDA)
    with torch.autocast("cuda", torch.bfloat16):
        output = layer(ones(1, 2))
    assert output.dtype == torch.bfloat16
    output.float().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32
    assert layer(ones(1, 2)).dtype == torch.float32
