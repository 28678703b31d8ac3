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
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmarks.by_hand import RATES, Tuning, frozen_by_hand
from benchmarks.compare import table
from freeze_or_tune.analysis.results.choosing import chosen, first
from freeze_or_tune.analysis.statistics.paper import LEVELS
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.study.levels import data_level
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.study.schemes import Scheme, all_but_last
from freeze_or_tune.study.solver import Rule
from freeze_or_tune.study.study import Study

STUDIES = ("config/config.yaml", "config/imagenet-lite.yaml")


class Split(NamedTuple):
    """The images of a split by subset: names and labels."""

    images: dict[str, list[str]]
    labels: dict[str, Tensor]

    @classmethod
    def read(cls, study: Study, target: str, n: int) -> "Split":
        """Read a split's CSV."""
        rows = pd.read_csv(Path(study.results, f"splits/{target}/n{n}.csv"), dtype={"image": str})
        parts = {str(name): part for name, part in rows.groupby("subset")}
        return cls(
            {name: part["image"].tolist() for name, part in parts.items()},
            {name: torch.tensor(part["label"].to_numpy()) for name, part in parts.items()},
        )


def features_of(study: Study, target: str, split: Split) -> dict[str, np.ndarray]:
    """Our features of each subset's images [N, D]."""
    stem = Path(study.results, "features", study.source_of(target), study.dataset_of(target))
    features, names = np.load(f"{stem}.npy"), pd.read_csv(f"{stem}.csv", dtype=str).iloc[:, 0]
    place = dict(zip(names, range(len(names)), strict=True))
    return {subset: features[[place[image] for image in images]] for subset, images in split.images.items()}


def frozen(study: Study, target: str, split: Split) -> float:
    """Test accuracy of scikit-learn's logistic regression on the study's features."""
    data = features_of(study, target, split)
    return float(frozen_by_hand(data, {subset: labels.numpy() for subset, labels in split.labels.items()}).mean())


def tuning(study: Study, target: str, n: int, split: Split) -> Tuning:
    """AdamW by hand on the split."""
    source, sizes = study.source_of(target), study.network_of(study.source_of(target))
    solver = study.experiment(target, n, str(all_but_last(sizes.blocks)[0])).solver
    store = Store(Path(study.results, f"stores/{study.dataset_of(target)}-{sizes.image_size}.npy"))
    pretrained = load_pretrained(Path(study.results, f"networks/{source}.safetensors"))
    pixels = {subset: torch.from_numpy(store.images(images)) for subset, images in split.images.items()}
    return Tuning(sizes, pretrained, solver, pixels, split.labels)


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
                    row.append(frozen(study, target, split))
                elif tuned:
                    rates = RATES[: len(record.runs[0].candidates) or 1]
                    by_hand = tuning(study, target, n, split)
                    row.append(_mean(float(by_hand.right(rates, run.run).mean()) for run in record.runs))
            error = math.sqrt(0.25 / len(split.images["test"]))
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
