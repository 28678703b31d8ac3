"""Stage: the model that the advice leads to, with all that its user needs to know."""

import logging
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from freeze_or_tune.analysis.advice.model_card import describe
from freeze_or_tune.data.splits import Row, read_split
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.weights import load_pretrained, save_pretrained
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.records.model import Candidate, Model, Use
from freeze_or_tune.stages.deployed import Deployed, preprocessing
from freeze_or_tune.stages.experiment import run_experiment
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Machine, TrainingSettings
from freeze_or_tune.training.checkpoint import only_process

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """What a source starts from: its weights, and the images at the size of its network."""

    store: Path
    weights: Path


def make_model(
    advice: Path, split: Path, starts: Mapping[str, Start], settings: Sequence[TrainingSettings],
    weights: Path, record: Path, card: Path, pictures: Sequence[Path], machine: Machine, threads: int,
    memory_mb: float = math.inf,
) -> None:  # fmt: skip
    """Train what the advice says, of `settings` (all that it could say), and write the model and what describes it.

    Of two schemes the one with the higher validation accuracy is kept; where they are equal, the frozen one.
    """
    given = Advice.read(advice)
    start = starts[given.source]
    candidates = record.with_name("candidates")
    with only_process(record):
        trained = []
        for chosen in (s for s in settings if s.source == given.source and s.scheme in given.schemes):
            result, network = (candidates / f"{chosen.scheme}.{suffix}" for suffix in ("json", "safetensors"))
            run_experiment(
                chosen, start.store, split, start.weights, result, machine, threads, memory_mb, model=network
            )  # fmt: skip
            trained.append((Experiment.read(result), network))
        experiment, network = max(trained, key=lambda pair: _merit(pair[0]))
        pretrained, sizes = load_pretrained(network), experiment.settings.network
        rows = read_split(split, 0, 0, 0, pool="shares")
        labels = tuple(name for _, name in sorted({(row.label, _text(row.class_name)) for row in rows}))
        accuracy, images = experiment.runs[0].test_accuracy, experiment.test_images
        low, high = proportion_confint(round(accuracy * images), images, method="wilson")
        model = Model(
            dataset=given.dataset, labels=labels, advice=given.advice, experiment=experiment, low=low, high=high,
            candidates=tuple(_candidate(other, other is experiment) for other, _ in trained),
            confusion=_confusion(Deployed(sizes, pretrained), Store(start.store), rows, len(labels)),
        )  # fmt: skip
        use = Use(
            dataset=given.dataset, source=given.source, scheme=experiment.settings.scheme, labels=labels,
            network=sizes, test_accuracy=accuracy, preprocessing=preprocessing(sizes),
        )  # fmt: skip
        save_pretrained(pretrained, weights, use.model_dump_json())
        describe(model, use, given, card, pictures)
        model.write(record)
        shutil.rmtree(candidates)


def _merit(experiment: Experiment) -> tuple[float, int]:
    return experiment.runs[0].val_accuracy, Scheme.parse(experiment.settings.scheme).frozen


def _candidate(experiment: Experiment, chosen: bool) -> Candidate:
    run = experiment.runs[0]
    log.info("%s: validation %.3f", experiment.settings.scheme, run.val_accuracy)
    return Candidate(
        scheme=experiment.settings.scheme, val_accuracy=run.val_accuracy, test_accuracy=run.test_accuracy, chosen=chosen
    )


def _text(name: str) -> str:
    """A class's name as valid Unicode: a folder's name may be any bytes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _confusion(deployed: Deployed, store: Store, rows: Sequence[Row], classes: int) -> tuple[tuple[int, ...], ...]:
    """How often a test image of a class (row) got an answer (column)."""
    tests = [row for row in rows if row.subset == "test"]
    answers = deployed.classify(store.images([row.image for row in tests])).argmax(1)
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, ([row.label for row in tests], answers), 1)
    return tuple(tuple(row) for row in counts.tolist())
