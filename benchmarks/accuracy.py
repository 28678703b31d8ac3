"""Our schemes against the obvious, on all splits of a study: `make bench`, or one study with --configfile.

Frozen R(last) beside scikit-learn's logistic regression on the study's own features/*.npy (standardised, C from 1e-5 to
10 on the same validation images); tuned R(last) beside a plain AdamW loop over the same network, images, batches a run
and looks at validation, with as many rates as ours has candidates and as many runs. Then the rules that choose a
candidate, each against the candidate that is best on the test images, which no rule sees. Prints Markdown for
docs/results.md.
"""

import argparse
import math
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from benchmarks.compare import table
from freeze_or_tune.analysis.results.choosing import chosen, first
from freeze_or_tune.analysis.statistics.paper import LEVELS
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.build import build, scale_of
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.study.levels import data_level
from freeze_or_tune.study.schemes import Scheme, all_but_last
from freeze_or_tune.study.solver import Rule
from freeze_or_tune.study.study import Study, read_study

STUDIES = ("config/config.yaml", "config/imagenet-lite.yaml")
CS = np.logspace(-5, 1, 13)
RATES = (1e-3, 3e-4, 3e-3, 1e-4, 1e-2, 3e-5)
"""Of AdamW, in the order in which a user would try them."""


class Split(NamedTuple):
    """The images of a split by subset: names and labels."""

    images: dict[str, tuple[list[str], Tensor]]
    classes: int

    @classmethod
    def read(cls, study: Study, target: str, n: int) -> "Split":
        """Read a split's CSV."""
        rows = pd.read_csv(Path(study.results, f"splits/{target}/n{n}.csv"), dtype={"image": str})
        parts = {str(name): part for name, part in rows.groupby("subset")}
        images = {k: (part["image"].tolist(), torch.tensor(part["label"].to_numpy())) for k, part in parts.items()}
        return cls(images, rows["label"].nunique())


def features_of(study: Study, target: str, split: Split) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Our features of each subset's images [N, D], and their labels [N]."""
    stem = Path(study.results, "features", study.source_of(target), study.dataset_of(target))
    features, names = np.load(f"{stem}.npy"), pd.read_csv(f"{stem}.csv", dtype=str).iloc[:, 0]
    place = dict(zip(names, range(len(names)), strict=True))
    return {
        subset: (features[[place[image] for image in images]], labels.numpy())
        for subset, (images, labels) in split.images.items()
    }


def frozen_by_hand(study: Study, target: str, split: Split) -> float:
    """Test accuracy of scikit-learn's logistic regression on our features."""
    data = features_of(study, target, split)
    models = [make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000)).fit(*data["train"]) for c in CS]
    return float(max(models, key=lambda model: model.score(*data["val"])).score(*data["test"]))


def tuned_by_hand(study: Study, target: str, n: int, split: Split, rates: Sequence[float], seed: int) -> float:
    """Test accuracy of a plain AdamW loop at the rate that is best on validation."""
    source, sizes = study.source_of(target), study.network_of(study.source_of(target))
    settings = study.experiment(target, n, str(all_but_last(sizes.blocks)[0]))
    store = Store(Path(study.results, f"stores/{study.dataset_of(target)}-{sizes.image_size}.npy"))
    pretrained = load_pretrained(Path(study.results, f"networks/{source}.safetensors"))
    mean, scale = pretrained.mean, scale_of(sizes, torch.device("cpu"))
    pixels = {k: torch.from_numpy(store.images(images)) for k, (images, _) in split.images.items()}
    labels = {k: values for k, (_, values) in split.images.items()}
    solver, room = settings.solver, sizes.image_size - sizes.crop

    def cut(images: Tensor, top: int, left: int) -> Tensor:
        values = ((images.flip(-1) if sizes.bgr else images) - mean) * scale
        return values[:, top : top + sizes.crop, left : left + sizes.crop].movedim(-1, 1)

    @torch.no_grad()
    def accuracy(network: nn.Module, subset: str) -> float:
        network.eval()
        parts = pixels[subset].split(100)
        guesses = torch.cat([network(cut(part, room // 2, room // 2)).argmax(1) for part in parts])
        network.train()
        return float((guesses == labels[subset]).double().mean())

    best: tuple[float, float] = (-1.0, 0.0)
    for rate in rates:
        torch.manual_seed(seed)
        network = build(sizes, split.classes, seed, sizes.blocks)
        pretrained.copy_to(network, range(1, sizes.blocks))
        network.train()
        optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.05)
        steps = solver.iterations(len(labels["train"]))
        warm_up = steps // 10
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser,
            lambda i, warm_up=warm_up, steps=steps: (  # type: ignore[misc]
                (i + 1) / warm_up if i < warm_up else (1 + math.cos(math.pi * (i - warm_up) / (steps - warm_up))) / 2
            ),
        )
        looks = {round(steps * (i + 1) / solver.evaluations) for i in range(solver.evaluations)}
        order = _order(len(labels["train"]), solver.batch)
        top, kept = -1.0, network.state_dict()
        for step in range(1, steps + 1):
            rows = next(order)
            crops = torch.randint(room + 1, (len(rows), 2)).tolist()
            inputs = torch.cat(
                [cut(pixels["train"][row : row + 1], *crop) for row, crop in zip(rows, crops, strict=True)]
            )
            optimiser.zero_grad()
            F.cross_entropy(network(inputs), labels["train"][rows]).backward()
            optimiser.step()
            schedule.step()
            if step in looks and (now := accuracy(network, "val")) > top:
                top, kept = now, deepcopy(network.state_dict())
        if top > best[0]:
            network.load_state_dict(kept)
            best = top, accuracy(network, "test")
    return best[1]


def _order(images: int, batch: int) -> Iterator[list[int]]:
    """Batches of one permutation after another."""
    left: list[int] = []
    while True:
        while len(left) < batch:
            left += torch.randperm(images).tolist()
        yield left[:batch]
        left = left[batch:]


def beside(study: Study, tuned: bool) -> None:
    """Print a row a split: ours at one rate and at its best, and the same by hand."""
    rows: list[tuple[object, ...]] = []
    for target, chosen_target in study.targets.items():
        for n in chosen_target.n:
            split = Split.read(study, target, n)
            row: list[float] = []
            for scheme in reversed(all_but_last(study.network_of(study.source_of(target)).blocks)):
                record = Experiment.read(Path(study.results, f"experiments/{target}/n{n}/{scheme}.json"))
                row += [
                    _mean(first(run).tested.test_accuracy for run in record.runs),
                    _mean(run.test_accuracy for run in record.runs),
                ]
                if scheme.mode == "F":
                    row.append(frozen_by_hand(study, target, split))
                elif tuned:
                    rates = RATES[: len(record.runs[0].candidates) or 1]
                    row.append(_mean(tuned_by_hand(study, target, n, split, rates, run.run) for run in record.runs))
            error = math.sqrt(0.25 / len(split.images["test"][0]))
            rows.append((target, n, *row, f"± {1.96 * error:.3f}"))
            print(*rows[-1], file=sys.stderr)
    width = len(rows[0]) - 1
    means = [_mean(float(str(row[column])) for row in rows) for column in range(2, width)]
    header = ["target", "n", "F, one rate", "F, best", "logistic regression", "T, one rate", "T, best", "AdamW by hand"]
    table((*header[:width], "95 % at most"), [*rows, ("mean", "", *means, "")])


def _mean(values: Iterator[float]) -> float:
    return float(np.mean(list(values)))


def regrets(study: Study) -> None:
    """Print for each rule, mode and level of data how many points it loses against the best candidate on test."""
    paths = [Path(study.results, f"experiments/{t}/n{n}/{scheme}.json") for t, n, scheme in study.experiments()]
    records = [Experiment.read(path) for path in paths]
    rows: list[dict[str, object]] = []
    rules: tuple[Rule, ...] = get_args(Rule)
    found = {rule: chosen(records, rule) for rule in rules}
    for place, record in enumerate(records):
        for number, run in enumerate(record.runs):
            if not run.candidates:
                continue
            best = max(tried.test_accuracy for tried in run.candidates)
            lost = {rule: best - found[rule][place][number].tested.test_accuracy for rule in rules}
            rows.append({
                "mode": Scheme.parse(record.settings.scheme).mode, "data": data_level(record.settings.split.n),
                "one rate": best - first(run).tested.test_accuracy, **lost,
            })  # fmt: skip
    lost = pd.DataFrame(rows)
    names = ["one rate", *rules]
    grouped = [
        (f"{mode}, {level}", lost[(lost["mode"] == mode) & (lost["data"] == level)])
        for mode in "FT"
        for level in LEVELS
    ]
    shown = [(name, len(part), *(100 * part[names]).mean()) for name, part in [*grouped, ("all", lost)] if len(part)]
    table(("points lost", "runs", *names), shown)


def main() -> None:
    """Make what is missing, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", nargs="+", default=STUDIES, metavar="FILE", help="studies (default: both)")
    parser.add_argument("--frozen", action="store_true", help="leave out AdamW by hand, which takes long")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # of scikit-learn: not converged, few images a class
    for path in arguments.configfile:
        subprocess.run([sys.executable, "-m", "snakemake", "--quiet", "all", "--configfile", path], check=True)
        study = read_study(path)
        print(f"\n{study.name}")
        beside(study, not arguments.frozen)
        regrets(study)


if __name__ == "__main__":
    main()
