import subprocess
import sys
from pathlib import Path

import pytest
import torch

from freeze_or_tune.study.settings import Machine
from freeze_or_tune.study.solver import Precision
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.device import channels_last, device_name, peak_memory_mb, prepare_device, unusable


@pytest.fixture(autouse=True)
def within_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose scheduler has given it its GPU."""
    monkeypatch.setenv("SLURM_JOB_ID", "1")


@pytest.mark.parametrize(
    ("asked", "visible", "chosen"),
    [("auto", False, "cpu"), ("auto", True, "cuda"), ("cpu", True, "cpu"), ("cuda", True, "cuda")],
)
def test_the_device(asked: str, visible: bool, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: visible)
    monkeypatch.setattr(torch.version, "cuda", None)  # of such a torch nothing is known about GPUs
    monkeypatch.setattr(torch, "set_deterministic_debug_mode", lambda mode: None)  # for the whole process
    assert prepare_device(Machine(device=asked), 1) == torch.device(chosen)


def test_a_gpu_asked_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"device is cuda, but no GPU is visible to this job.*set .* to cpu"):
        prepare_device(Machine(device="cuda"), 1)


@pytest.mark.parametrize(("devices", "reserved"), [("0", True), ("GPU-3f", True), ("", False), ("NoDevFiles", False)])
def test_a_gpu_that_a_scheduler_has_given_in_vain(
    devices: str, reserved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    assert prepare_device(Machine(device="cpu"), 1) == torch.device("cpu")
    if reserved:
        with pytest.raises(UserError, match=f"given a GPU .CUDA_VISIBLE_DEVICES={devices}., but torch finds none"):
            prepare_device(Machine(), 1)
    else:
        assert prepare_device(Machine(), 1) == torch.device("cpu")


def test_a_torch_without_cuda_is_told_how_to_be_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(
        UserError, match=r"given a GPU .* built for CPUs only; .*make \.venv/installed GPU=1; .* to cpu"
    ):
        prepare_device(Machine(), 1)


CUDA_13 = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]


# CUDA C++ Programming Guide, "Binary Compatibility" and "PTX Compatibility".
@pytest.mark.parametrize(
    ("capability", "architectures", "runs"),
    [
        ((8, 0), ["sm_80"], True),
        ((8, 9), ["sm_80"], True),
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80"], False),
        ((9, 0), ["compute_80"], True),
        ((7, 5), ["compute_80"], False),
        ((9, 0), ["sm_90a"], True),
        ((10, 3), ["sm_100a"], False),
        ((10, 3), ["sm_100f"], True),
        ((12, 0), ["sm_100f", "compute_100f"], False),
        ((7, 0), CUDA_13, False),
        ((12, 1), CUDA_13, True),
        ((9, 0), ["gfx90a"], True),  # an AMD GPU
        ((9, 0), [], True),
    ],
)
def test_which_gpus_run_which_code(capability: tuple[int, int], architectures: list[str], runs: bool) -> None:
    assert (unusable(capability, architectures) is None) == runs


@pytest.mark.parametrize(
    ("capability", "advice"),
    [
        (
            (7, 0),
            r"no code for its compute capability 7\.0, only for 7\.5, 8.*install torch 2\.10 .* with CUDA 12\.6",
        ),
        ((3, 7), r"capability 3\.7.*set the study's machine\.device to cpu"),
        ((11, 0), r"capability 11\.0.*install a newer torch"),
    ],
)
def test_a_gpu_that_torch_has_no_code_for_is_refused_before_training(
    capability: tuple[int, int], advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    for name, answer in {
        "is_available": True, "get_device_capability": capability, "get_arch_list": CUDA_13[:-1],
        "get_device_name": "Tesla V100",
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, lambda answer=answer: answer)
    with pytest.raises(UserError, match=f"the GPU Tesla V100 cannot be used: torch .*{advice}"):
        prepare_device(Machine(), 1)
    assert prepare_device(Machine(device="cpu"), 1) == torch.device("cpu")


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads(threads: int) -> None:
    prepare_device(Machine(device="cpu"), threads)
    assert torch.get_num_threads() == threads


def test_computing_is_without_denormals() -> None:
    tiny = torch.full((1000,), 1e-30)
    prepare_device(Machine(device="cpu"), 1)
    assert (tiny * 1e-10 == 0).all()  # 1e-40 is a denormal float32


@pytest.mark.parametrize("compiles", [False, True])
def test_a_gpu_computes_deterministically(compiles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    try:
        prepare_device(Machine(device="cuda", compile=compiles), 1)
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.utils.deterministic.fill_uninitialized_memory
    finally:
        torch.use_deterministic_algorithms(False)


PREPARED = """
import sys, torch
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.training.device import prepare_device
torch.cuda.is_available, torch.version.cuda = lambda: True, None
prepare_device(Machine(device="cuda"), 1)
assert torch.are_deterministic_algorithms_enabled()
assert "torch._inductor" not in sys.modules
"""


def test_a_job_on_a_gpu_does_not_import_the_compiler() -> None:
    subprocess.run([sys.executable, "-c", PREPARED], check=True)


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        ("cpu", "fp32", True),
        ("cpu", "bf16", True),
        ("cuda", "fp32", False),
        ("cuda", "tf32", True),
        ("cuda", "bf16", True),
    ],
)
def test_the_layout_of_activations(device: str, precision: Precision, expected: bool) -> None:
    assert channels_last(Machine(), torch.device(device), precision) is expected
    for asked in (True, False):
        assert channels_last(Machine(channels_last=asked), torch.device(device), precision) is asked


def test_the_name_of_the_cpu() -> None:
    assert device_name(torch.device("cpu")) == "cpu"


def test_peak_memory_is_the_processs() -> None:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    expected = int(status["VmHWM"].split()[0]) / 1024
    assert peak_memory_mb(torch.device("cpu")) == pytest.approx(expected, rel=0.1)


FAULTS = """
import resource, torch
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.training.device import prepare_device
prepare_device(Machine(device="cpu"), 1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(2**26)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
HUGE = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.mark.slow
@pytest.mark.skipif(not HUGE.exists() or "[never]" in HUGE.read_text(), reason="this kernel has no huge pages")
def test_large_tensors_lie_in_huge_pages() -> None:
    faults = int(subprocess.check_output([sys.executable, "-c", FAULTS], text=True))
    assert faults < 2**14  # 256 MB have 2**16 small pages; a few huge ones may not be free
