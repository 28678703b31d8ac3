"""A tiny study's files, as the stages before an experiment leave them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from freeze_or_tune.data.index import build_index, read_index
from freeze_or_tune.data.splits import Draw, draw, write_split
from freeze_or_tune.data.store import build_store
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.stages.experiment import pretrain, run_experiment
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.settings import Machine, SplitSettings, TrainingSettings
from freeze_or_tune.study.solver import Solver

SIZES = CaffeNet(
    channels=(8, 8, 8, 8, 8), features=16, image_size=48, crop=43, dropout=0.1, scale=1 / 64, filler="msra"
)
SOLVER = Solver(
    batch=8, epochs=1, min_iterations=12, max_iterations=12, evaluations=3, views=2, mirror=False, learning_rate=0.01
)
CPU = Machine(device="cpu")
DRAW = Draw(seed=0, n=6, val=3, test=4)
NAMES = {"letters": ("a", "b", "c"), "digits": ("one", "two")}


def pictures(dataset: str) -> dict[str, np.ndarray]:
    """Fourteen pictures a class (RGB), each class of another colour and with another texture."""
    generator = np.random.default_rng(len(dataset))
    images = {}
    for i, name in enumerate(NAMES[dataset]):
        stripes = 40 * np.sign(np.sin(np.arange(48) * (0.3 + 0.4 * i)))[:, None, None]
        colour = np.array([90, 120, 150]) + np.roll([60, 0, -30], i)
        for number in range(14):
            pixels = colour + stripes + generator.normal(0, 15, (48, 48, 3))
            images[f"{name}/{number:02}.png"] = pixels.clip(0, 255).astype(np.uint8)
    return images


PICTURES = {dataset: pictures(dataset) for dataset in NAMES}


@dataclass(frozen=True)
class Files:
    """A folder with the store and the split of each dataset, and a pretrained source."""

    folder: Path

    def inputs(self, dataset: str) -> tuple[Path, Path]:
        return self.folder / f"{dataset}.npy", self.folder / f"{dataset}-split.csv"

    @property
    def weights(self) -> Path:
        return self.folder / "letters.safetensors"


def settings(target: str, scheme: str, runs: int = 1, seed: int = 0, **solver: Any) -> TrainingSettings:
    return TrainingSettings(
        study="test", target=target, dataset=target, source="letters", network=SIZES,
        split=SplitSettings(dataset=target, **DRAW._asdict()), scheme=scheme, seed=seed, runs=runs,
        solver=SOLVER.model_copy(update=solver),
    )  # fmt: skip


def made(folder: Path) -> Files:
    """All that the stages before leave, made by them."""
    files = Files(folder)
    for dataset, images in PICTURES.items():
        archive, index = files.folder / f"{dataset}-images", files.folder / f"{dataset}-index.csv"
        for name, pixels in images.items():
            (archive / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(archive / name)
        build_index("folder", archive, index, 14)
        store, split = files.inputs(dataset)
        build_store(archive, index, [DRAW], dataset=dataset, size=48, destination=store, threads=1)
        write_split(draw(read_index(index), dataset=dataset, **DRAW._asdict()), split)
    pretrain(
        settings("letters", "R1-8", max_iterations=250, min_iterations=250),
        *files.inputs("letters"), files.weights, files.folder / "letters.json", CPU, 1,
    )  # fmt: skip
    return files


def adapted(
    files: Files, chosen: TrainingSettings, path: Path, threads: int = 1, device: str = "cpu", **machine: Any
) -> Experiment:
    options = Machine(device=device, **machine)
    run_experiment(chosen, *files.inputs(chosen.target), files.weights, path, options, threads)
    return Experiment.read(path)


def without_costs(record: Experiment) -> dict[str, Any]:
    return record.model_dump(exclude={"runs": {"__all__": {"performance"}}})
