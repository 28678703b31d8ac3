"""Stage: the runs of one experiment, and pretraining, which is an experiment that copies nothing."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.build import build, own_mean, scale_of
from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.networks.weights import Pretrained, load_source, save_pretrained
from freeze_or_tune.records.correctness import pack
from freeze_or_tune.records.experiment import Experiment, Performance, Run, Tested, Tried
from freeze_or_tune.records.recipes import RECIPES
from freeze_or_tune.stages.memory import cache_for
from freeze_or_tune.stages.subsets import Subsets, load_subsets
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.settings import Machine, TrainingSettings
from freeze_or_tune.study.solver import Candidate, Solver
from freeze_or_tune.system.hashing import digest_of, stable_digest, stable_seed
from freeze_or_tune.training.augment import Preprocessing
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.checkpoint import FORMAT, Saving, only_process, remove_checkpoints
from freeze_or_tune.training.device import (
    channels_last,
    computing_in,
    device_name,
    peak_memory_mb,
    prepare_device,
    versions,
)
from freeze_or_tune.training.learners import Learners, learners
from freeze_or_tune.training.loop import Solved, Training, class_accuracies, train
from freeze_or_tune.training.prefix import HeldOut, Prefix

log = logging.getLogger(__name__)


def run_experiment(
    settings: TrainingSettings, store: Path, split: Path, source: Path, destination: Path,
    machine: Machine, threads: int, memory_mb: float = math.inf, model: Path | None = None,
    among: Sequence[Candidate] = (),
) -> None:  # fmt: skip
    """Train and test a scheme on a split, `settings.runs` times; write the record.

    If asked for, the network of the run that was best on validation is written to `model` first, like a source: with
    what its best candidate learnt, or the mean of those `among` which the choice would be a matter of luck. A run
    that was interrupted goes on from its last checkpoint; what another process made meanwhile is kept. `memory_mb` is
    what the whole job may use.
    """
    device = prepare_device(machine, threads, settings.solver.precision)
    with only_process(destination) as waited:
        if not (waited and (model is None or model.exists()) and _is_made(settings, destination)):
            cache = cache_for(settings, machine, device, memory_mb)
            subsets = load_subsets(settings.split, store, split, cache)
            pretrained = load_source(source)
            saving = Saving(destination, _key(settings, store, split, source), machine.checkpoint_seconds)
            record, best = _runs(settings, subsets, pretrained, pretrained.mean, cache, saving, machine, among)
            if model is not None:
                save_pretrained(Pretrained(best.state_dict(), pretrained.mean), model)
            record.write(destination)
        remove_checkpoints(destination)


def pretrain(
    settings: TrainingSettings, store: Path, split: Path, weights: Path, destination: Path,
    machine: Machine, threads: int, memory_mb: float = math.inf,
) -> None:  # fmt: skip
    """Train a source network from random values; write its weights with the mean training image, then the record."""
    device = prepare_device(machine, threads, settings.solver.precision)
    with only_process(destination) as waited:
        if not (waited and weights.exists() and _is_made(settings, destination)):
            cache = cache_for(settings, machine, device, memory_mb)
            subsets = load_subsets(settings.split, store, split, cache)
            mean = own_mean(settings.network)
            if mean is None:
                mean = torch.from_numpy(Store(store).mean(subsets.train_names)).flip(-1)
            saving = Saving(destination, _key(settings, store, split), machine.checkpoint_seconds)
            record, network = _runs(settings, subsets, None, mean, cache, saving, machine)
            save_pretrained(Pretrained(network.state_dict(), mean), weights)
            record.write(destination)
        remove_checkpoints(destination)


def _is_made(settings: TrainingSettings, destination: Path) -> bool:
    """Whether the process that this one waited for has written the result that was asked for."""
    return destination.exists() and Experiment.read(destination).digest == settings.digest


def _key(settings: TrainingSettings, store: Path, *inputs: Path) -> str:
    """A hash of all that determines the runs: settings, recipe, and what the files hold (a store by its checksums)."""
    contents = [digest_of(path) for path in (store.with_suffix(".csv"), *inputs)]
    return stable_digest(settings.digest, RECIPES["training"], FORMAT, contents)[:16]


def _runs(
    settings: TrainingSettings, subsets: Subsets, pretrained: Pretrained | None, mean: Tensor, cache: Cache,
    saving: Saving, machine: Machine, among: Sequence[Candidate] = (),
) -> tuple[Experiment, Layered]:  # fmt: skip
    """All runs of an experiment, and the network of the one that is best on validation (the first of equals).

    They share the images and the cached prefix.
    """
    scheme, solver, device = Scheme.parse(settings.scheme), settings.solver, cache.device
    last = channels_last(machine, device, solver.precision)

    def network(seed: int, drawn_from: int) -> Layered:
        """Copied blocks, and random values from a block on."""
        made = build(settings.network, subsets.classes, seed, drawn_from)
        if pretrained is not None:
            pretrained.copy_to(made, range(1, scheme.copied + 1))
        made = made.to(device)
        return made.to(memory_format=torch.channels_last) if last else made

    sizes = settings.network
    preprocessing = Preprocessing(mean.to(device), sizes.crop, scale_of(sizes, device), solver.mirror, last, sizes.bgr)
    frozen = network(seed=0, drawn_from=scheme.blocks + 1).eval()
    # Crops are the same for all schemes of a split: schemes are compared on the same views.
    views_seed = stable_seed(settings.seed, settings.target, settings.split.n, "views")
    cut = frozen.prefix(scheme.frozen, solver.frozen_dropout)
    prefix = Prefix(frozen, cut, preprocessing, subsets.train, solver.views, views_seed, cache)
    del frozen  # its later layers are not needed
    val, test = prefix.held_out(subsets.val), prefix.held_out(subsets.test)
    learning = prefix.held_out(subsets.train)  # as one looks at them
    head = _head(network(seed=0, drawn_from=scheme.blocks), solver, learning, val) if "p" in scheme.variant else {}
    runs: list[Run] = []
    for number in range(settings.runs):
        log.info("%s n=%d %s: run %d of %d", settings.target, settings.split.n, scheme, number + 1, settings.runs)
        seed = stable_seed(settings.seed, settings.target, settings.split.n, settings.scheme, number)

        def made(seed: int = seed) -> Layered:
            last = network(seed, drawn_from=scheme.copied + 1)
            last.load_state_dict(head, strict=False)
            if machine.compile:
                last.compile()
            return last

        candidates = learners(made, scheme, solver)
        with computing_in(solver.precision, device):
            trained = Training((), solver.iterations(len(subsets.train)), 0.0)
            if solver.stepped(scheme):
                trained = train(candidates, scheme, solver, prefix, val, seed, saving.of_run(number))
            if number == 0:  # nothing in it is random
                solved = _solved(settings, candidates.network, learning, val)
            trained = trained.joined(solved)
            learnt = [one.parameters for one in trained.candidates]
            logits = candidates.logits_with(test, learnt)
            average = None
            if len(learnt) > 1:
                level = trained.level(len(val.labels))
                guesses = _mean(candidates.logits_with(val, [learnt[number] for number in level])).argmax(1)
                average = _tested(_mean(logits[level]), float((guesses == val.labels).double().mean()), subsets)
        run = _record(trained, logits, average, subsets, seed, number, solver.batch, device)
        if all(run.val_accuracy > other.val_accuracy for other in runs):
            best = candidates.network
            trained.leave(best)
            if averaged := [one.parameters for one in trained.candidates if one.candidate in among]:
                best.load_state_dict(_averaged(candidates, averaged, val), strict=False)
        runs.append(run)
    record = Experiment(
        settings=settings, digest=settings.digest, classes=subsets.classes,
        train_images=len(subsets.train), val_images=len(subsets.val), test_images=len(subsets.test),
        versions=versions(device), runs=tuple(runs),
    )  # fmt: skip
    return record, best


def _head(network: Layered, solver: Solver, train: HeldOut, val: HeldOut) -> dict[str, Tensor]:
    """A classifier that is solved for over the source's features: what all are tuned from in variant p."""
    from freeze_or_tune.training.logistic import solve  # noqa: PLC0415

    solved = solve(network, [Candidate(c=c) for c in solver.cs], 0, train, val)
    return max(solved.candidates, key=lambda one: one.rank).parameters


def _solved(settings: TrainingSettings, network: Layered, train: HeldOut, val: HeldOut) -> Solved | None:
    """The candidates that are solved at once, if there are any."""
    scheme = Scheme.parse(settings.scheme)
    wanted = [one for one in settings.solver.candidates(scheme) if one.c is not None]
    if not wanted:
        return None
    from freeze_or_tune.training.logistic import solve  # noqa: PLC0415 - scikit-learn costs other jobs a second

    return solve(network, wanted, settings.solver.iterations(len(train.labels)), train, val)


def _record(
    trained: Training, logits: Tensor, average: Tested | None, subsets: Subsets, seed: int, number: int, batch: int,
    device: torch.device,
) -> Run:  # fmt: skip
    """Write down how the run went, by the test logits of all candidates [K, N, classes]: each is tested once."""
    tried = tuple(
        Tried(
            **one.candidate._asdict(), **_tested(scores, one.val_accuracy, subsets).model_dump(),
            val_loss=one.val_loss if math.isfinite(one.val_loss) else None,
            iterations=one.iterations, best_iteration=one.best_iteration, curve=one.curve,
        )
        for one, scores in zip(trained.candidates, logits, strict=True)
    )  # fmt: skip
    best = tried[trained.best]
    log.info("best at iteration %d: test accuracy %.1f %%", best.best_iteration, 100 * best.test_accuracy)
    return Run(
        run=number, seed=seed, **best.model_dump(include=set(Tested.model_fields)),
        iterations=trained.iterations, best_iteration=best.best_iteration, curve=best.curve,
        performance=Performance(
            seconds=trained.seconds, images_per_second=trained.iterations * batch / trained.seconds,
            peak_memory_mb=peak_memory_mb(device), device=device_name(device), threads=torch.get_num_threads(),
        ),
        candidates=() if average is None else tried,
        average=average,
    )  # fmt: skip


def _averaged(candidates: Learners, learnt: Sequence[dict[str, Tensor]], val: HeldOut) -> dict[str, Tensor]:
    """The mean of linear classifiers, whose outputs are the mean of theirs: each scaled so that all spread alike."""
    logits = candidates.logits_with(val, learnt)
    spreads = (logits - logits.mean(-1, keepdim=True)).square().mean((1, 2)).sqrt()
    scales = spreads.mean() / spreads.clamp(min=torch.finfo(spreads.dtype).tiny)
    return {
        name: torch.stack([scale * one[name] for scale, one in zip(scales, learnt, strict=True)]).mean(0)
        for name in learnt[0]
    }


def _mean(logits: Tensor) -> Tensor:
    """Mean probabilities [N, classes] of logits [K, N, classes]."""
    return logits.softmax(-1).mean(0)


def _tested(scores: Tensor, val_accuracy: float, subsets: Subsets) -> Tested:
    """How often the largest of scores [N, classes] is that of the right class."""
    correct = scores.argmax(1) == subsets.test.labels
    accuracy, mean_class = class_accuracies(correct, subsets.test.labels)
    return Tested(
        val_accuracy=val_accuracy, test_accuracy=accuracy, mean_class_accuracy=mean_class,
        correct=pack(correct.tolist()),
    )  # fmt: skip
