"""Stage: the model that the advice leads to, with all that its user needs to know."""

import logging
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.special import softmax

from freeze_or_tune.analysis.advice.model_card import describe
from freeze_or_tune.analysis.statistics.calibration import calibration_error, temperature
from freeze_or_tune.analysis.statistics.shares import wilson
from freeze_or_tune.data.splits import Row, read_split
from freeze_or_tune.data.store import Store, read_stored
from freeze_or_tune.networks.weights import Pretrained, load_source, save_pretrained
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.records.experiment import Experiment
from freeze_or_tune.records.model import Model, Trial, Use
from freeze_or_tune.stages.deployed import Deployed, preprocessing
from freeze_or_tune.stages.memory import too_large
from freeze_or_tune.stages.work import Start, Work, favourites, suited
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Machine, TrainingSettings
from freeze_or_tune.study.solver import Candidate
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.text import valid
from freeze_or_tune.training.checkpoint import only_process
from freeze_or_tune.training.device import free_memory_mb, prepare_device

log = logging.getLogger(__name__)


def make_model(
    advice: Path, split: Path, starts: Mapping[str, Start], settings: Sequence[TrainingSettings],
    weights: Path, record: Path, card: Path, pictures: Sequence[Path], machine: Machine, threads: int,
    memory_mb: float = math.inf,
) -> None:  # fmt: skip
    """Train what the advice says, of `settings` (all that it could say), and write the model and what describes it.

    What has won the race is trained as the candidate that was right most often in it. Without a race the advised
    schemes are searched; that with the highest validation accuracy is kept, of equals the frozen one, and its best
    candidate. Of a frozen scheme the classifiers that cannot be told from the best are averaged. It is trained on the
    images that train, to find the temperature on others, and once more on all images but those that test.
    """
    given = Advice.read(advice)
    work = Work(split, starts[given.source], machine, threads, memory_mb)
    folder = record.with_name("candidates")
    with only_process(record):
        wanted = [
            suited(one, given.profiles[0])
            for one in settings
            if one.source == given.source and one.scheme in given.schemes
        ]
        device = prepare_device(machine, threads)
        free = free_memory_mb(device)
        for one in wanted:
            if words := too_large(given.profiles[0], one, free):
                raise UserError(words)
        chosen, favourite, trials = _chosen(work, given, wanted, folder)
        last, among = _kept(chosen, favourite)
        _, network = _trained(work, last, folder / "held-out.json", among)
        experiment, model_network = _trained(work, _refitted(last), folder / "refit.json", among)
        sizes = chosen.network
        rows = read_split(split, 0, 0, 0, pool="shares")
        labels = tuple(name for _, name in sorted({(row.label, valid(row.class_name)) for row in rows}))
        store = Store(work.start.store)
        held_out, last_network = (Deployed(sizes, one, device) for one in (network, model_network))
        # Of the network that has not learnt from them: what has is surer of the images that validate than of others.
        heat = temperature(*_outputs(held_out, store, rows, "val"))
        logits, truth = _outputs(last_network, store, rows, "test")
        right = int((logits.argmax(1) == truth).sum())
        low, high = wilson(right, len(truth))
        model = Model(
            dataset=given.dataset, labels=labels, advice=given.advice, experiment=experiment, averaged=len(among),
            accuracy=right / len(truth), low=low, high=high, trials=trials, temperature=heat,
            calibration_error=calibration_error(softmax(logits / heat, axis=1), truth),
            uncalibrated_error=calibration_error(softmax(logits, axis=1), truth),
            confusion=_confusion(logits.argmax(1), truth, len(labels)),
        )  # fmt: skip
        decoding = read_stored(work.start.store).decoding
        use = Use(
            dataset=given.dataset, source=given.source, scheme=chosen.scheme, labels=labels, network=sizes,
            test_accuracy=model.accuracy, decoding=decoding, preprocessing=preprocessing(sizes, decoding),
        )  # fmt: skip
        save_pretrained(model_network.cooled(heat), weights, use.model_dump_json())
        describe(model, use, given, card, pictures)
        model.write(record)
        shutil.rmtree(folder)


def _trained(
    work: Work, settings: TrainingSettings, result: Path, among: Sequence[Candidate] = ()
) -> tuple[Experiment, Pretrained]:
    """An experiment, and the network that came of it."""
    network = result.with_suffix(".safetensors")
    return work.train(settings, result, network, among), load_source(network)


def _chosen(
    work: Work, given: Advice, wanted: Sequence[TrainingSettings], folder: Path
) -> tuple[TrainingSettings, Sequence[Candidate], tuple[Trial, ...]]:
    """The scheme and its best candidates: the race's, or else those that a search prefers on validation."""
    if given.measured is not None:
        return wanted[0], [one.candidate for one in given.measured.first.candidates], ()
    searched = [_trained(work, one, folder / f"{one.scheme}.json")[0] for one in wanted]
    best = max(searched, key=_merit)
    right = {
        tried.candidate: tried.val_accuracy * best.val_images
        for tried in sorted(best.runs[0].candidates, key=lambda tried: tried.rank, reverse=True)
    }
    trials = tuple(_trial(one, one is best) for one in searched)
    return best.settings, favourites(best.settings, right, best.val_images), trials


def _kept(settings: TrainingSettings, favourite: Sequence[Candidate]) -> tuple[TrainingSettings, tuple[Candidate, ...]]:
    """Settings to train the best candidate alone, or, where the classifier is all that learns, to average several."""
    solver = settings.solver
    if Scheme.parse(settings.scheme).tuned or len(favourite) == 1:
        return settings.model_copy(update={"solver": solver.alone(favourite[0])}), ()
    return settings.model_copy(update={"solver": solver.model_copy(update={"evaluations": 1})}), tuple(favourite)


def _refitted(settings: TrainingSettings) -> TrainingSettings:
    """On the images that train and those that validate."""
    return settings.model_copy(update={"split": settings.split.model_copy(update={"pool": "refit"})})


def _merit(experiment: Experiment) -> tuple[float, int]:
    return experiment.runs[0].val_accuracy, Scheme.parse(experiment.settings.scheme).frozen


def _trial(experiment: Experiment, chosen: bool) -> Trial:
    run = experiment.runs[0]
    log.info("%s: validation %.3f", experiment.settings.scheme, run.val_accuracy)
    return Trial(
        scheme=experiment.settings.scheme, val_accuracy=run.val_accuracy, test_accuracy=run.test_accuracy, chosen=chosen
    )


def _outputs(deployed: Deployed, store: Store, rows: Sequence[Row], subset: str) -> tuple[np.ndarray, np.ndarray]:
    """Logits [N, classes] and labels [N] of a subset's images."""
    chosen = [row for row in rows if row.subset == subset]
    logits = deployed.logits(store.images([row.image for row in chosen]))
    return logits.astype(float), np.array([row.label for row in chosen])


def _confusion(answers: np.ndarray, truth: np.ndarray, classes: int) -> tuple[tuple[int, ...], ...]:
    """How often a test image of a class (row) got an answer (column)."""
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (truth, answers), 1)
    return tuple(tuple(row) for row in counts.tolist())
