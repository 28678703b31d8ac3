import importlib.metadata
import platform
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from freeze_or_tune.data.splits import read_split, write_split
from freeze_or_tune.networks.build import build
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.correctness import unpack
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.stages import experiment as module
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.stages.subsets import load_subsets
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.images import Images, Streamed
from tests.stages.files import CPU, NAMES, PICTURES, SIZES, Files, adapted, settings, without_costs


def test_subsets_are_those_of_the_split(files: Files) -> None:
    store, split = files.inputs("digits")
    subsets = load_subsets(settings("digits", "R1-8").split, store, split, Cache(torch.device("cpu")))
    rows = read_split(split, 6, 3, 4)
    for name, images in (("train", subsets.train), ("val", subsets.val), ("test", subsets.test)):
        chosen = [row for row in rows if row.subset == name]
        assert len(images) == len(chosen) == 2 * {"train": 6, "val": 3, "test": 4}[name]
        assert images.labels.tolist() == [row.label for row in chosen]
        for pixels, row in zip(images.pixels.numpy(), chosen, strict=True):
            np.testing.assert_array_equal(pixels[:, :, ::-1], PICTURES["digits"][row.image])  # BGR
    assert subsets.train_names == tuple(row.image for row in rows if row.subset == "train")
    assert subsets.classes == 2


def test_the_sources_mean_is_that_of_its_training_images(files: Files) -> None:
    rows = read_split(files.inputs("letters")[1], 6, 3, 4)
    train = [PICTURES["letters"][row.image] for row in rows if row.subset == "train"]
    assert len(train) == 18
    mean = load_pretrained(files.weights).mean
    assert mean.dtype == torch.float32
    np.testing.assert_allclose(mean, np.mean(train, axis=0)[:, :, ::-1], rtol=1e-6)  # BGR


def test_pretraining_learns_and_keeps_the_network(files: Files) -> None:
    record = Experiment.read(files.folder / "letters.json")
    assert record.runs[0].test_accuracy > 0.9
    assert (record.classes, record.train_images, record.settings.scheme) == (3, 18, "R1-8")
    pretrained = load_pretrained(files.weights)
    assert pretrained.classes == 3
    assert {name.split(".")[0] for name in pretrained.parameters} == {
        "conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"
    }  # fmt: skip


def test_the_saved_source_classifies_as_its_record_says(files: Files) -> None:
    record, pretrained = Experiment.read(files.folder / "letters.json"), load_pretrained(files.weights)
    network = build(SIZES, 3, 0).eval()
    pretrained.copy_to(network, range(1, 9))
    rows = [row for row in read_split(files.inputs("letters")[1], 6, 3, 4) if row.subset == "test"]
    pixels = np.array([PICTURES["letters"][row.image] for row in rows])[:, :, :, ::-1].astype(np.float32)
    crops = ((pixels - pretrained.mean.numpy()) / 64)[:, 2:45, 2:45].transpose(0, 3, 1, 2)
    with torch.no_grad():
        predicted = network(torch.from_numpy(crops.copy())).argmax(1).numpy()
    assert record.runs[0].test_accuracy == pytest.approx(np.mean(predicted == [row.label for row in rows]))
    assert unpack(record.runs[0].correct, len(rows)) == [p == row.label for p, row in zip(predicted, rows, strict=True)]


@pytest.mark.parametrize("scheme", ["T1-5_R6-8", "F1-5_R6-8", "F1-7_R8"])
def test_the_record_of_an_experiment(files: Files, tmp_path: Path, scheme: str) -> None:
    chosen = settings("digits", scheme, runs=2)
    record = adapted(files, chosen, tmp_path / "out" / "x.json")
    assert record.settings == chosen
    assert record.digest == chosen.digest
    assert (record.classes, record.train_images, record.val_images, record.test_images) == (2, 12, 6, 8)
    assert record.versions == {
        "freeze-or-tune": importlib.metadata.version("freeze-or-tune"),
        "python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
    }  # fmt: skip
    assert [run.run for run in record.runs] == [0, 1]
    first, second = record.runs
    assert first.seed != second.seed
    assert [p.loss for p in first.curve] != [p.loss for p in second.curve]
    for run in record.runs:
        assert [point.iteration for point in run.curve] == [4, 8, 12]
        assert (run.iterations, run.performance.device, run.performance.threads) == (12, "cpu", 1)
        assert run.val_accuracy == max(point.val_accuracy for point in run.curve)
        # Classes are equally large, so the mean over classes is that over images; 8 test images.
        assert run.mean_class_accuracy == pytest.approx(run.test_accuracy)
        assert (run.test_accuracy * 8) % 1 == pytest.approx(0)
        assert run.performance.images_per_second == pytest.approx(12 * 8 / run.performance.seconds)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["T1-5_R6-8", "F1-5_R6-8"])
def test_a_repeated_experiment_gives_the_same_record(files: Files, tmp_path: Path, scheme: str) -> None:
    first, again, other = (
        adapted(files, settings("digits", scheme, runs=2, seed=seed), tmp_path / f"{i}.json")
        for i, seed in enumerate((0, 0, 1))
    )
    assert without_costs(first) == without_costs(again)
    assert {run.seed for run in first.runs}.isdisjoint(run.seed for run in other.runs)
    assert [p.loss for p in first.runs[0].curve] != [p.loss for p in other.runs[0].curve]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["T1-5_R6-8", "F1-5_R6-8", "F1-7_R8"])
@pytest.mark.parametrize("views", [0, 2])
def test_the_memory_budget_plays_no_part_in_a_result(files: Files, tmp_path: Path, scheme: str, views: int) -> None:
    chosen = settings("digits", scheme, runs=2, views=views)
    records = []
    # Everything in memory; the training images and some activations; nothing.
    for memory in (100, 12 * 48 * 48 * 3 / 2**20 + 0.001, 0):
        path, model = tmp_path / f"{memory}.json", tmp_path / f"{memory}.safetensors"
        machine = Machine(device="cpu", memory_mb=memory)
        run_experiment(chosen, *files.inputs("digits"), files.weights, path, machine, 1, model=model)
        records.append((without_costs(Experiment.read(path)), model.read_bytes()))
    assert records[0] == records[1] == records[2]


def test_images_are_streamed_where_the_budget_ends(files: Files) -> None:
    size = 12 * 48 * 48 * 3
    for budget, kinds in ((0, [Streamed] * 3), (size, [Images, Streamed, Streamed]), (2.2 * size, [Images] * 3)):
        cache = Cache(torch.device("cpu"), budget)
        subsets = load_subsets(settings("digits", "R1-8").split, *files.inputs("digits"), cache)
        assert [type(images) for images in (subsets.train, subsets.val, subsets.test)] == kinds


def test_live_dropout_can_be_turned_off_in_frozen_blocks(files: Files, tmp_path: Path) -> None:
    chosen = [settings("digits", "F1-7_R8", frozen_dropout=live) for live in (True, False)]
    records = [adapted(files, one, tmp_path / f"{i}.json") for i, one in enumerate(chosen)]
    losses = [[point.loss for point in record.runs[0].curve] for record in records]
    assert losses[0] != losses[1]
    # With one view and no dropout nothing is random: epochs of the whole set differ by learning alone.
    still = settings("digits", "F1-7_R8", frozen_dropout=False, views=1, batch=12, evaluations=12, learning_rate=1e-9)
    curve = adapted(files, still, tmp_path / "still.json").runs[0].curve
    assert [point.loss for point in curve] == pytest.approx([curve[0].loss] * 12, rel=1e-5)


@pytest.mark.parametrize(
    ("scheme", "solver", "machine"),
    [
        ("T1-5_R6-8", {"precision": "bf16"}, {}),
        ("F1-5_R6-8", {"precision": "bf16"}, {}),
        ("F1-5_R6-8", {"half_cache": True}, {}),
        ("T1-5_R6-8", {}, {"channels_last": False}),
        ("F1-5_R6-8", {}, {"channels_last": False}),
    ],
    ids=str,
)
def test_precision_and_layout_change_only_last_digits(
    files: Files, tmp_path: Path, scheme: str, solver: dict[str, Any], machine: dict[str, Any]
) -> None:
    plain, other = (
        adapted(files, settings("digits", scheme, **given), tmp_path / f"{len(given)}.json", **options)
        for given, options in (({}, {}), (solver, machine))
    )
    losses = [[point.loss for point in record.runs[0].curve] for record in (plain, other)]
    assert machine or losses[0] != losses[1]
    np.testing.assert_allclose(*losses, rtol=0.1 if solver.get("precision") else 0.01, atol=0.01)


def test_the_kept_model_is_that_of_the_run_best_on_validation(files: Files, tmp_path: Path) -> None:
    chosen, model = settings("digits", "T1-5_R6-8", runs=3, learning_rate=0.003), tmp_path / "x.safetensors"
    run_experiment(chosen, *files.inputs("digits"), files.weights, tmp_path / "x.json", CPU, 1, model=model)
    runs = Experiment.read(tmp_path / "x.json").runs
    best = max(runs, key=lambda run: run.val_accuracy)
    kept = load_pretrained(model)
    assert torch.equal(kept.mean, load_pretrained(files.weights).mean)
    network = build(SIZES, 2, 0).eval()
    kept.copy_to(network, range(1, 9))
    rows = read_split(files.inputs("digits")[1], 6, 3, 4)
    for subset, accuracy in (("val", best.val_accuracy), ("test", best.test_accuracy)):
        chosen_rows = [row for row in rows if row.subset == subset]
        pixels = np.array([PICTURES["digits"][row.image] for row in chosen_rows])[..., ::-1].astype(np.float32)
        crops = ((pixels - kept.mean.numpy()) / 64)[:, 2:45, 2:45].transpose(0, 3, 1, 2)
        with torch.no_grad():
            predicted = network(torch.from_numpy(crops.copy())).argmax(1).numpy()
        assert accuracy == pytest.approx(np.mean(predicted == [row.label for row in chosen_rows]))


def test_the_test_accuracy_is_that_of_the_test_images(files: Files, tmp_path: Path) -> None:
    chosen = settings("digits", "T1-7_R8", max_iterations=60, min_iterations=60)
    record = adapted(files, chosen, tmp_path / "x.json")
    store, split = files.inputs("digits")
    # The same split, but that the two classes of its test images are exchanged.
    rows = [
        replace(row, class_name=NAMES["digits"][1 - row.label], label=1 - row.label) if row.subset == "test" else row
        for row in read_split(split, 6, 3, 4)
    ]
    write_split(rows, tmp_path / "exchanged.csv")
    run_experiment(chosen, store, tmp_path / "exchanged.csv", files.weights, tmp_path / "y.json", CPU, 1)
    ours, exchanged = record.runs[0], Experiment.read(tmp_path / "y.json").runs[0]
    assert (exchanged.curve, exchanged.val_accuracy) == (ours.curve, ours.val_accuracy)
    assert ours.test_accuracy > 0.6
    assert exchanged.test_accuracy == exchanged.mean_class_accuracy == pytest.approx(1 - ours.test_accuracy)


def test_one_run_is_the_first_of_two(files: Files, tmp_path: Path) -> None:
    one, two = (adapted(files, settings("digits", "F1-7_R8", runs=runs), tmp_path / f"{runs}.json") for runs in (1, 2))
    assert without_costs(one)["runs"] == without_costs(two)["runs"][:1]


@pytest.mark.slow
def test_threads_change_no_accuracy_by_more_than_an_image(files: Files, tmp_path: Path) -> None:
    one, two = (adapted(files, settings("digits", "T1-5_R6-8"), tmp_path / f"{n}.json", n) for n in (1, 2))
    assert [r.runs[0].performance.threads for r in (one, two)] == [1, 2]
    assert one.settings == two.settings
    assert abs(one.runs[0].test_accuracy - two.runs[0].test_accuracy) <= 1 / 8
    np.testing.assert_allclose(
        [p.loss for p in one.runs[0].curve], [p.loss for p in two.runs[0].curve], rtol=0.02, atol=1e-3
    )


@dataclass
class Seen:
    """A run as it began and as it ended."""

    start: dict[str, torch.Tensor]
    network: Layered
    views_seed: int


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Seen]:
    """Return the networks trained so far."""
    runs: list[Seen] = []
    real = module.train

    def train(learners: Any, scheme: Any, solver: Any, prefix: Any, *others: Any) -> Any:
        start = {name: p.detach().clone() for name, p in learners.network.named_parameters()}
        runs.append(Seen(start, learners.network, prefix.seed))
        return real(learners, scheme, solver, prefix, *others)

    monkeypatch.setattr(module, "train", train)
    return runs


@pytest.mark.parametrize(("scheme", "copied"), [("T1-7_R8", 7), ("F1-7_R8", 7), ("T1-3_R4-8", 3), ("F1-3_R4-8", 3)])
def test_copied_blocks_come_from_the_source_and_the_others_from_the_seed(
    files: Files, tmp_path: Path, seen: list[Seen], scheme: str, copied: int
) -> None:
    adapted(files, settings("digits", scheme, runs=2), tmp_path / "x.json")
    source = load_pretrained(files.weights).parameters
    first, second = seen
    for name, start in first.start.items():
        block = int(name.split(".")[0][-1])
        end = first.network.get_parameter(name)
        if block <= copied:
            assert torch.equal(start, source[name])
            assert torch.equal(start, second.start[name])
        elif name.endswith("weight"):
            assert start.shape != source[name].shape or not torch.equal(start, source[name])
            assert not torch.equal(start, second.start[name])
        assert torch.equal(start, end) == (scheme[0] == "F" and block <= copied), name
    assert first.start["fc8.weight"].shape == (2, 16)


def test_schemes_of_a_split_see_the_same_views(files: Files, tmp_path: Path, seen: list[Seen]) -> None:
    for scheme, seed in (("F1-7_R8", 0), ("F1-3_R4-8", 0), ("F1-3_R4-8", 1)):
        adapted(files, settings("digits", scheme, seed=seed), tmp_path / "x.json")
    assert seen[0].views_seed == seen[1].views_seed != seen[2].views_seed


def test_a_damaged_source_leaves_no_result(files: Files, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(files.weights.read_bytes()[:-10])
    with pytest.raises(UserError, match="delete it"):
        run_experiment(settings("digits", "T1-7_R8"), *files.inputs("digits"), cut, tmp_path / "x.json", CPU, 1)
    assert not (tmp_path / "x.json").exists()


def test_a_source_of_another_size_is_refused(files: Files, tmp_path: Path) -> None:
    wider = settings("digits", "T1-7_R8")
    wider = wider.model_copy(update={"network": SIZES.model_copy(update={"features": 32})})
    with pytest.raises(ValueError, match=r"fc6\.weight: expected shape"):
        run_experiment(wider, *files.inputs("digits"), files.weights, tmp_path / "x.json", CPU, 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_nearly_the_same_record(files: Files, tmp_path: Path) -> None:
    for scheme in ("T1-5_R6-8", "F1-7_R8"):
        chosen = settings("digits", scheme)
        cpu, gpu = (adapted(files, chosen, tmp_path / f"{device}.json", 1, device) for device in ("cpu", "cuda"))
        again = adapted(files, chosen, tmp_path / "again.json", 1, "cuda")
        assert without_costs(gpu) == without_costs(again)
        assert gpu.runs[0].performance.device != "cpu"
        assert gpu.runs[0].seed == cpu.runs[0].seed
        assert abs(gpu.runs[0].test_accuracy - cpu.runs[0].test_accuracy) <= 1 / 4


@pytest.mark.slow
def test_a_job_imports_no_more_than_it_needs() -> None:
    """Each of these costs a second at the start of every job; optimisers of torch import its compiler."""
    code = """
import sys, torch
from freeze_or_tune.stages import experiment
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.networks.cifar import cifar_quick
from freeze_or_tune.training.device import prepare_device
from freeze_or_tune.training.solver import gradients_of, learnables, optimiser_of
prepare_device(Machine(device="cpu"), 1)
network = cifar_quick(2, torch.Generator())
for method in ("sgd", "adamw"):
    parameters = learnables(network, Scheme.parse("R1-5"), Solver(method=method))
    network(torch.zeros(1, 3, 32, 32)).sum().backward()
    optimiser_of(parameters, Solver(method=method, clip=1), 1).step(0, gradients_of(parameters))
heavy = "torch._dynamo torchvision pandas sklearn scipy matplotlib sympy".split()
print([name for name in heavy if name in sys.modules])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
