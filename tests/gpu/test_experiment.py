"""Whole stages on the emulated GPU give what they give on a CPU, which other tests hold to its numbers."""

from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor

from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.probes import Profile
from freeze_or_tune.stages.experiment import pretrain
from freeze_or_tune.stages.features import extract_features
from freeze_or_tune.stages.probing import probe
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.device import free_memory_mb, prepare_device
from freeze_or_tune.training.images import Streamed
from tests.gpu.emulated import GIB, NAME, emulated_gpu
from tests.gpu.runs import SEARCH, assert_alike, chosen, run
from tests.gpu.tensors import Gpu
from tests.stages.files import SIZES, Files, without_costs


@pytest.mark.parametrize(
    ("scheme", "solver", "machine"),
    [
        ("R1-8", {}, {}),
        ("T1-5_R6-8", {"mirror": True}, {}),
        ("T1-5_R6-8", {"method": "adamw", "schedule": "cosine", "clip": 1.0}, {"memory_mb": 0}),
        ("T1-7_R8", {"search": SEARCH}, {}),
        ("T1-7_R8p", {"c": 1.0}, {}),
        ("F1-5_R6-8", {}, {}),
        ("F1-5_R6-8", {"search": SEARCH}, {"channels_last": False}),
        ("F1-7_R8", {"method": "adamw"}, {"memory_mb": 0}),
        ("F1-7_R8", {"views": 0}, {"memory_mb": 0.1}),
        ("F1-7_R8", {"search": SEARCH}, {}),
        ("F1-3_T4-5_R6-8", {"half_cache": True}, {}),
        ("F1-3_T4-7_R8", {"method": "adamw", "precision": "tf32"}, {"memory_mb": 0}),
    ],
)
def test_an_experiment_gives_what_it_gives_on_a_cpu(
    files: Files, tmp_path: Path, scheme: str, solver: dict[str, Any], machine: dict[str, Any]
) -> None:
    asked = chosen(scheme, **solver)
    on_cpu, theirs = run(files, asked, tmp_path / "cpu.json", device="cpu", **machine)
    with emulated_gpu() as gpu:
        on_gpu, ours = run(files, asked, tmp_path / "gpu.json", device="cuda", **machine)
    performance = on_gpu.runs[0].performance
    assert (performance.device, performance.peak_memory_mb) == (NAME, gpu.peak / 2**20)
    assert set(on_gpu.versions) - set(on_cpu.versions) == {"cuda", "cudnn"}
    for record in (on_gpu, on_cpu):
        record.versions.clear()
    assert_alike(without_costs(on_gpu), without_costs(on_cpu))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_gpu_multiplies_in_bfloat16(files: Files, tmp_path: Path) -> None:
    with emulated_gpu():
        rounded, _ = run(files, chosen("F1-3_T4-5_R6-8", precision="bf16"), tmp_path / "bf16.json", device="cuda")
        exact, _ = run(files, chosen("F1-3_T4-5_R6-8"), tmp_path / "fp32.json", device="cuda")
    losses = [[point.loss for point in record.runs[0].curve] for record in (rounded, exact)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


@pytest.mark.parametrize("scheme", ["T1-5_R6-8", "F1-7_R8"])
def test_dropout_on_a_gpu_is_that_of_the_seed(files: Files, tmp_path: Path, scheme: str) -> None:
    asked = chosen(scheme, dropout=0.3)
    with emulated_gpu():
        first, logits = run(files, asked, tmp_path / "first.json", device="cuda")
    with emulated_gpu():
        torch.rand(3, device="cuda")  # another process has another past
        again, same = run(files, asked, tmp_path / "again.json", device="cuda")
    other, _ = run(files, asked, tmp_path / "other.json", device="cpu")
    assert without_costs(first) == without_costs(again)
    assert torch.equal(logits, same)
    assert [point.loss for point in first.runs[0].curve] != [point.loss for point in other.runs[0].curve]


def test_on_a_gpu_too_candidates_see_the_same_dropout(files: Files, tmp_path: Path) -> None:
    with emulated_gpu():
        searched, _ = run(files, chosen("T1-7_R8", dropout=0.3, search=SEARCH), tmp_path / "x.json", device="cuda")
    with emulated_gpu():
        alone, _ = run(files, chosen("T1-7_R8", dropout=0.3), tmp_path / "alone.json", device="cuda")
    own = searched.runs[0].candidates[0]
    assert (own.curve, own.correct) == (alone.runs[0].curve, alone.runs[0].correct)


def test_by_default_images_take_what_the_network_leaves_of_a_gpus_memory(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streamed: list[int] = []
    real = Streamed.take
    monkeypatch.setattr(Streamed, "take", lambda self, indices: streamed.append(len(self)) or real(self, indices))
    asked = chosen("T1-5_R6-8", min_iterations=1, max_iterations=1, evaluations=1)
    size = 12 * 48 * 48 * 3  # of the training images; 6 validate, 8 test
    for budget, kinds in ((size, {6, 8}), (100 * size, set())):
        with emulated_gpu(), mock.patch("freeze_or_tune.stages.memory.tuning_bytes", return_value=16 * GIB - budget):
            run(files, asked, tmp_path / f"{budget}.json", device="auto")
        assert set(streamed) == kinds
        streamed.clear()


def test_a_gpu_that_is_too_small_says_so(files: Files, tmp_path: Path) -> None:
    with emulated_gpu(2**18), pytest.raises(UserError, match=r"takes some 1\.\d GiB on a GPU .* this one has 0\.0"):
        run(files, chosen("T1-5_R6-8"), tmp_path / "x.json", device="cuda")
    assert not (tmp_path / "x.json").exists()


def test_pretraining(files: Files, tmp_path: Path) -> None:
    def weights(device: str) -> dict[str, Tensor]:
        path, machine = tmp_path / f"{device}.safetensors", Machine(device=device)
        asked = chosen("R1-8", target="letters")
        pretrain(asked, *files.inputs("letters"), path, tmp_path / f"{device}.json", machine, 1)
        pretrained = load_pretrained(path)
        return pretrained.parameters | {"mean": pretrained.mean}

    on_cpu = weights("cpu")
    with emulated_gpu():
        on_gpu = weights("cuda")
    for name, value in on_cpu.items():
        torch.testing.assert_close(on_gpu[name], value, rtol=1e-5, atol=1e-5, msg=name)


def test_features(files: Files, tmp_path: Path) -> None:
    def features(device: str) -> np.ndarray:
        paths = [tmp_path / f"{device}.{suffix}" for suffix in ("npy", "csv", "json")]
        extract_features(SIZES, files.weights, files.inputs("digits")[0], *paths, Machine(device=device), 1)
        return np.load(paths[0])

    on_cpu = features("cpu")
    with emulated_gpu() as gpu:
        np.testing.assert_allclose(features("cuda"), on_cpu, rtol=1e-5, atol=1e-5)
    assert gpu.counts.operations["convolution"] == 5


def test_probes(files: Files, tmp_path: Path) -> None:
    def profile(device: str) -> dict[str, Any]:
        index, record = files.folder / "digits-index.csv", tmp_path / f"{device}.json"
        probe(
            SIZES, "letters", files.weights, *files.inputs("digits"), index, record, tmp_path / "mean.json",
            Machine(device=device), 1, seed=0,
        )  # fmt: skip
        return Profile.read(record).model_dump(exclude={"images_per_second"})

    on_cpu = profile("cpu")
    with emulated_gpu():
        assert_alike(profile("cuda"), on_cpu)


def test_a_gpu_is_made_ready(gpu: Gpu) -> None:
    device = prepare_device(Machine(), 1, "tf32")
    assert (device.type, free_memory_mb(device)) == ("cuda", 16 * 1024)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.allow_tf32
    prepare_device(Machine(device="cuda"), 1)
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
